/* A ball that bounces, for FMI 3, model exchange and co-simulation: h' = v, v' = -g; where h falls through 0, v becomes -e*v. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "fmi3Functions.h"

typedef struct { double t, h, v, g, e; } Ball; /* references 0..4; 5 is der(h), 6 der(v) */

static double value(Ball *b, fmi3ValueReference r) { double *all[] = {&b->t, &b->h, &b->v, &b->g, &b->e}; return r < 5 ? *all[r] : r == 5 ? b->v : -b->g; }
static Ball *made(void) { Ball *b = calloc(1, sizeof(Ball)); b->h = 1; b->g = 9.81; b->e = 0.7; return b; }
static void bounce(Ball *b) { b->h = 0; b->v = -b->e * b->v; if (b->v < 1e-3) b->v = b->g = 0; }

const char *fmi3GetVersion(void) { return fmi3Version; }
fmi3Instance fmi3InstantiateModelExchange(fmi3String n, fmi3String k, fmi3String p, fmi3Boolean v, fmi3Boolean l, fmi3InstanceEnvironment e, fmi3LogMessageCallback c) { return made(); }
fmi3Instance fmi3InstantiateCoSimulation(fmi3String n, fmi3String k, fmi3String p, fmi3Boolean v, fmi3Boolean l, fmi3Boolean w, fmi3Boolean y,
    const fmi3ValueReference r[], size_t m, fmi3InstanceEnvironment e, fmi3LogMessageCallback c, fmi3IntermediateUpdateCallback i) { return made(); }
void fmi3FreeInstance(fmi3Instance c) { free(c); }
fmi3Status fmi3EnterInitializationMode(fmi3Instance c, fmi3Boolean d, fmi3Float64 tol, fmi3Float64 t, fmi3Boolean s, fmi3Float64 e) { ((Ball *)c)->t = t; return fmi3OK; }
#define PLAIN(f) fmi3Status f(fmi3Instance c) { return fmi3OK; }
PLAIN(fmi3ExitInitializationMode) PLAIN(fmi3EnterEventMode) PLAIN(fmi3Terminate) PLAIN(fmi3EnterStepMode) PLAIN(fmi3EnterContinuousTimeMode)
PLAIN(fmi3EnterConfigurationMode) PLAIN(fmi3ExitConfigurationMode)
fmi3Status fmi3Reset(fmi3Instance c) { Ball *b = made(); memcpy(c, b, sizeof(Ball)); free(b); return fmi3OK; }
fmi3Status fmi3GetFloat64(fmi3Instance c, const fmi3ValueReference r[], size_t n, fmi3Float64 o[], size_t m) {
    for (size_t i = 0; i < n; i++) o[i] = value(c, r[i]); return fmi3OK; }
fmi3Status fmi3SetFloat64(fmi3Instance c, const fmi3ValueReference r[], size_t n, const fmi3Float64 o[], size_t m) {
    Ball *b = c; double *all[] = {&b->t, &b->h, &b->v, &b->g, &b->e}; for (size_t i = 0; i < n; i++) *all[r[i]] = o[i]; return fmi3OK; }
fmi3Status fmi3SetTime(fmi3Instance c, fmi3Float64 t) { ((Ball *)c)->t = t; return fmi3OK; }
fmi3Status fmi3GetNumberOfContinuousStates(fmi3Instance c, size_t *n) { *n = 2; return fmi3OK; }
fmi3Status fmi3GetNumberOfEventIndicators(fmi3Instance c, size_t *n) { *n = 1; return fmi3OK; }
fmi3Status fmi3GetContinuousStates(fmi3Instance c, fmi3Float64 x[], size_t n) { Ball *b = c; x[0] = b->h; x[1] = b->v; return fmi3OK; }
fmi3Status fmi3SetContinuousStates(fmi3Instance c, const fmi3Float64 x[], size_t n) { Ball *b = c; b->h = x[0]; b->v = x[1]; return fmi3OK; }
fmi3Status fmi3GetContinuousStateDerivatives(fmi3Instance c, fmi3Float64 x[], size_t n) { Ball *b = c; x[0] = b->v; x[1] = -b->g; return fmi3OK; }
fmi3Status fmi3GetNominalsOfContinuousStates(fmi3Instance c, fmi3Float64 x[], size_t n) { x[0] = x[1] = 1; return fmi3OK; }
fmi3Status fmi3GetEventIndicators(fmi3Instance c, fmi3Float64 z[], size_t n) { Ball *b = c; z[0] = b->h == 0 && b->v >= 0 ? 1 : b->h; return fmi3OK; }
fmi3Status fmi3CompletedIntegratorStep(fmi3Instance c, fmi3Boolean n, fmi3Boolean *e, fmi3Boolean *t) { *e = *t = fmi3False; return fmi3OK; }
fmi3Status fmi3UpdateDiscreteStates(fmi3Instance c, fmi3Boolean *u, fmi3Boolean *t, fmi3Boolean *n, fmi3Boolean *v, fmi3Boolean *d, fmi3Float64 *next) {
    Ball *b = c; *u = *t = *n = *d = fmi3False; *v = fmi3False; if (b->h <= 0 && b->v < 0) { bounce(b); *v = fmi3True; } return fmi3OK; }
fmi3Status fmi3DoStep(fmi3Instance c, fmi3Float64 t, fmi3Float64 h, fmi3Boolean s, fmi3Boolean *e, fmi3Boolean *q, fmi3Boolean *y, fmi3Float64 *last) {
    Ball *b = c; *e = *q = *y = fmi3False;
    for (int i = 0; i < 100; i++) { double d = h / 100; b->h += d * b->v - d * d / 2 * b->g; b->v -= d * b->g; if (b->h <= 0 && b->v < 0) bounce(b); }
    *last = b->t = t + h; return fmi3OK; }
fmi3Status fmi3GetFMUState(fmi3Instance c, fmi3FMUState *s) { if (!*s) *s = malloc(sizeof(Ball)); memcpy(*s, c, sizeof(Ball)); return fmi3OK; }
fmi3Status fmi3SetFMUState(fmi3Instance c, fmi3FMUState s) { memcpy(c, s, sizeof(Ball)); return fmi3OK; }
fmi3Status fmi3FreeFMUState(fmi3Instance c, fmi3FMUState *s) { free(*s); *s = 0; return fmi3OK; }
fmi3Status fmi3SerializedFMUStateSize(fmi3Instance c, fmi3FMUState s, size_t *n) { *n = sizeof(Ball); return fmi3OK; }
fmi3Status fmi3SerializeFMUState(fmi3Instance c, fmi3FMUState s, fmi3Byte o[], size_t n) { memcpy(o, s, n); return fmi3OK; }
fmi3Status fmi3DeserializeFMUState(fmi3Instance c, const fmi3Byte o[], size_t n, fmi3FMUState *s) { *s = malloc(n); memcpy(*s, o, n); return fmi3OK; }
