#include "runtime.h"

#include <stdio.h>

int runtime_start(const unsigned char *content, unsigned int length, int classes)
{
    (void)content;
    (void)length;
    (void)classes;
    fprintf(stderr, "error: built without a runtime; use --features, or make LITERT=FOLDER\n");
    return 1;
}

int runtime_run(const int8_t *input, int8_t *logits)
{
    (void)input;
    (void)logits;
    return 1;
}
