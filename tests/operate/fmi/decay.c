/* A first-order lag for FMI 2, model exchange and co-simulation: T dx/dt = gain*u - x; x in degC, T in min; a shell follows x within 2 min. */
#include <stdlib.h>
#include <string.h>
#include "fmi2Functions.h"

#ifndef MORE /* that its state takes */
#define MORE 1
#endif
typedef struct { double x, u, lag, gain, t, shell; char more[MORE]; } Model; /* references 0..3; 4 is der(x); 5 */

static double rate(Model *m) { return (m->gain * m->u - m->x) / (60.0 * m->lag); }
static double *at(Model *m, fmi2ValueReference r) { double *all[] = {&m->x, &m->u, &m->lag, &m->gain, 0, &m->shell}; return all[r]; }

const char *fmi2GetTypesPlatform(void) { return fmi2TypesPlatform; }
const char *fmi2GetVersion(void) { return fmi2Version; }
fmi2Component fmi2Instantiate(fmi2String n, fmi2Type y, fmi2String g, fmi2String r, const fmi2CallbackFunctions *f, fmi2Boolean v, fmi2Boolean l) {
    Model *m = calloc(1, sizeof(Model)); m->x = m->shell = 20; m->u = 0; m->lag = 1; m->gain = 1; return m; }
void fmi2FreeInstance(fmi2Component c) { free(c); }
fmi2Status fmi2GetReal(fmi2Component c, const fmi2ValueReference v[], size_t n, fmi2Real o[]) {
    for (size_t i = 0; i < n; i++) o[i] = v[i] == 4 ? rate(c) : *at(c, v[i]); return fmi2OK; }
fmi2Status fmi2SetReal(fmi2Component c, const fmi2ValueReference v[], size_t n, const fmi2Real o[]) {
    for (size_t i = 0; i < n; i++) *at(c, v[i]) = o[i]; return fmi2OK; }
fmi2Status fmi2DoStep(fmi2Component c, fmi2Real t, fmi2Real h, fmi2Boolean b) {
    Model *m = c; for (int i = 0; i < 100; i++) { m->shell += h / 100 * (m->x - m->shell) / 120.0; m->x += h / 100 * rate(m); } m->t = t + h; return fmi2OK; }
fmi2Status fmi2SetTime(fmi2Component c, fmi2Real t) { ((Model *)c)->t = t; return fmi2OK; }
fmi2Status fmi2SetContinuousStates(fmi2Component c, const fmi2Real x[], size_t n) { ((Model *)c)->x = x[0]; return fmi2OK; }
fmi2Status fmi2GetContinuousStates(fmi2Component c, fmi2Real x[], size_t n) { x[0] = ((Model *)c)->x; return fmi2OK; }
fmi2Status fmi2GetDerivatives(fmi2Component c, fmi2Real x[], size_t n) { x[0] = rate(c); return fmi2OK; }
fmi2Status fmi2GetNominalsOfContinuousStates(fmi2Component c, fmi2Real x[], size_t n) { x[0] = 1; return fmi2OK; }
fmi2Status fmi2NewDiscreteStates(fmi2Component c, fmi2EventInfo *e) { memset(e, 0, sizeof(*e)); return fmi2OK; }
fmi2Status fmi2CompletedIntegratorStep(fmi2Component c, fmi2Boolean n, fmi2Boolean *e, fmi2Boolean *t) { *e = *t = fmi2False; return fmi2OK; }
fmi2Status fmi2SetupExperiment(fmi2Component c, fmi2Boolean d, fmi2Real tol, fmi2Real t, fmi2Boolean s, fmi2Real e) { return fmi2OK; }
#define PLAIN(f) fmi2Status f(fmi2Component c) { return fmi2OK; }
PLAIN(fmi2EnterInitializationMode) PLAIN(fmi2ExitInitializationMode) PLAIN(fmi2Terminate) PLAIN(fmi2Reset)
PLAIN(fmi2EnterEventMode) PLAIN(fmi2EnterContinuousTimeMode) PLAIN(fmi2CancelStep)
#define NONE(f, ...) fmi2Status f(fmi2Component c, __VA_ARGS__) { return fmi2Error; }
typedef const fmi2ValueReference *Refs;
NONE(fmi2SetDebugLogging, fmi2Boolean b, size_t n, const fmi2String k[])
NONE(fmi2GetInteger, Refs v, size_t n, fmi2Integer o[]) NONE(fmi2SetInteger, Refs v, size_t n, const fmi2Integer o[])
NONE(fmi2GetBoolean, Refs v, size_t n, fmi2Boolean o[]) NONE(fmi2SetBoolean, Refs v, size_t n, const fmi2Boolean o[])
NONE(fmi2GetString, Refs v, size_t n, fmi2String o[]) NONE(fmi2SetString, Refs v, size_t n, const fmi2String o[])
fmi2Status fmi2GetFMUstate(fmi2Component c, fmi2FMUstate *s) { if (!*s) *s = malloc(sizeof(Model)); memcpy(*s, c, sizeof(Model)); return fmi2OK; }
fmi2Status fmi2SetFMUstate(fmi2Component c, fmi2FMUstate s) { memcpy(c, s, sizeof(Model)); return fmi2OK; }
fmi2Status fmi2FreeFMUstate(fmi2Component c, fmi2FMUstate *s) { free(*s); *s = 0; return fmi2OK; }
fmi2Status fmi2SerializedFMUstateSize(fmi2Component c, fmi2FMUstate s, size_t *n) { *n = sizeof(Model); return fmi2OK; }
fmi2Status fmi2SerializeFMUstate(fmi2Component c, fmi2FMUstate s, fmi2Byte b[], size_t n) { memcpy(b, s, n); return fmi2OK; }
fmi2Status fmi2DeSerializeFMUstate(fmi2Component c, const fmi2Byte b[], size_t n, fmi2FMUstate *s) { *s = malloc(n); memcpy(*s, b, n); return fmi2OK; }
NONE(fmi2GetDirectionalDerivative, Refs a, size_t n, Refs b, size_t m, const fmi2Real x[], fmi2Real y[])
NONE(fmi2GetEventIndicators, fmi2Real x[], size_t n)
NONE(fmi2SetRealInputDerivatives, Refs v, size_t n, const fmi2Integer o[], const fmi2Real x[])
NONE(fmi2GetRealOutputDerivatives, Refs v, size_t n, const fmi2Integer o[], fmi2Real x[])
NONE(fmi2GetStatus, const fmi2StatusKind k, fmi2Status *s) NONE(fmi2GetRealStatus, const fmi2StatusKind k, fmi2Real *s)
NONE(fmi2GetIntegerStatus, const fmi2StatusKind k, fmi2Integer *s) NONE(fmi2GetBooleanStatus, const fmi2StatusKind k, fmi2Boolean *s)
NONE(fmi2GetStringStatus, const fmi2StatusKind k, fmi2String *s)
