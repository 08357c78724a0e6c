/* Runs the model; runtime_none.c, runtime_litert.c and runtime_micro.cc are ways to do it. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Prepares a model, whose content has to stay in memory. Returns 0, or prints an error and
 * returns 1. */
int runtime_start(const unsigned char *content, unsigned int length, int classes);

/* Computes the logits of one window from its int8 features. Returns 0, or prints an error and returns 1. */
int runtime_run(const int8_t *input, int8_t *logits);

#ifdef __cplusplus
}
#endif

#endif /* RUNTIME_H */
