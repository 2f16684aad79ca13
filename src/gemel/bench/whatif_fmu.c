/* What FMI 2 asks of a co-simulation, around the rates that whatif_fmu.py writes into rates.h: Runge-Kutta 4, one step a call. */
#include <math.h>
#include <stdlib.h>
#include "fmi2Functions.h"
#include "rates.h" /* X, U, P: how many; starts; rate(x, u, p, out) */

typedef struct { double value[X + U + P]; } Model; /* references: states, inputs, parameters */

static void step(Model *m, double h) {
    double *x = m->value, *u = x + X, *p = u + U, k[4][X], at[X];
    const double part[] = {0.0, 0.5, 0.5, 1.0};
    for (int s = 0; s < 4; s++) {
        for (int i = 0; i < X; i++) at[i] = s ? x[i] + h * part[s] * k[s - 1][i] : x[i];
        rate(at, u, p, k[s]);
    }
    for (int i = 0; i < X; i++) x[i] += h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
}

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }
const char *fmi2GetVersion(void) { return fmi2Version; }
fmi2Status fmi2Reset(fmi2Component c) {
    for (int i = 0; i < X + U + P; i++) ((Model *)c)->value[i] = starts[i];
    return fmi2OK;
}
fmi2Component fmi2Instantiate(fmi2String n, fmi2Type y, fmi2String g, fmi2String r, const fmi2CallbackFunctions *f, fmi2Boolean v, fmi2Boolean l) {
    Model *m = calloc(1, sizeof(Model));
    if (m) fmi2Reset(m);
    return m;
}
void fmi2FreeInstance(fmi2Component c) { free(c); }
fmi2Status fmi2GetReal(fmi2Component c, const fmi2ValueReference v[], size_t n, fmi2Real o[]) {
    for (size_t i = 0; i < n; i++) o[i] = ((Model *)c)->value[v[i]];
    return fmi2OK;
}
fmi2Status fmi2SetReal(fmi2Component c, const fmi2ValueReference v[], size_t n, const fmi2Real o[]) {
    for (size_t i = 0; i < n; i++) ((Model *)c)->value[v[i]] = o[i];
    return fmi2OK;
}
fmi2Status fmi2DoStep(fmi2Component c, fmi2Real t, fmi2Real h, fmi2Boolean b) { step(c, h); return fmi2OK; }
fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean d, fmi2Real tol, fmi2Real t, fmi2Boolean s, fmi2Real e) { return fmi2OK; }
#define PLAIN(f) fmi2Status f(fmi2Component c) { return fmi2OK; }
PLAIN(fmi2EnterInitializationMode) PLAIN(fmi2ExitInitializationMode) PLAIN(fmi2Terminate) PLAIN(fmi2CancelStep)
#define NONE(f, ...) fmi2Status f(fmi2Component c, __VA_ARGS__) { return fmi2Error; }
typedef const fmi2ValueReference *Refs;
NONE(fmi2SetDebugLogging, fmi2Boolean b, size_t n, const fmi2String k[])
NONE(fmi2GetInteger, Refs v, size_t n, fmi2Integer o[]) NONE(fmi2SetInteger, Refs v, size_t n, const fmi2Integer o[])
NONE(fmi2GetBoolean, Refs v, size_t n, fmi2Boolean o[]) NONE(fmi2SetBoolean, Refs v, size_t n, const fmi2Boolean o[])
NONE(fmi2GetString, Refs v, size_t n, fmi2String o[]) NONE(fmi2SetString, Refs v, size_t n, const fmi2String o[])
NONE(fmi2GetFMUstate, fmi2FMUstate *s) NONE(fmi2SetFMUstate, fmi2FMUstate s) NONE(fmi2FreeFMUstate, fmi2FMUstate *s)
NONE(fmi2SerializedFMUstateSize, fmi2FMUstate s, size_t *n) NONE(fmi2SerializeFMUstate, fmi2FMUstate s, fmi2Byte b[], size_t n)
NONE(fmi2DeSerializeFMUstate, const fmi2Byte b[], size_t n, fmi2FMUstate *s)
NONE(fmi2GetDirectionalDerivative, Refs a, size_t n, Refs b, size_t m, const fmi2Real x[], fmi2Real y[])
NONE(fmi2SetRealInputDerivatives, Refs v, size_t n, const fmi2Integer o[], const fmi2Real x[])
NONE(fmi2GetRealOutputDerivatives, Refs v, size_t n, const fmi2Integer o[], fmi2Real x[])
NONE(fmi2GetStatus, const fmi2StatusKind k, fmi2Status *s) NONE(fmi2GetRealStatus, const fmi2StatusKind k, fmi2Real *s)
NONE(fmi2GetIntegerStatus, const fmi2StatusKind k, fmi2Integer *s) NONE(fmi2GetBooleanStatus, const fmi2StatusKind k, fmi2Boolean *s)
NONE(fmi2GetStringStatus, const fmi2StatusKind k, fmi2String *s)
