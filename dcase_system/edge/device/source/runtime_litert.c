/* Runs the model on the host by libLiteRt.so, which the Python package ai-edge-litert contains.
 *
 * The package has no headers, so the functions of LiteRT's C interface that are used are declared
 * here; its documentation calls the types below stable. */
#include "runtime.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "front_end_constants.h"

typedef struct {
    unsigned int rank : 7;
    unsigned int has_strides : 1;
    int32_t dimensions[8];
    uint32_t strides[8];
} layout;

typedef struct {
    int element_type;
    layout layout;
} tensor_type;

enum { ELEMENT_INT8 = 9, HARDWARE_PROCESSOR = 1, LOCK_READ = 0, LOCK_WRITE = 1 };

int LiteRtCreateEnvironment(int count, const void *options, void **environment);
int LiteRtCreateModelFromBuffer(void *environment, const void *content, size_t length, void **model);
int LiteRtCreateOptions(void **options);
int LiteRtSetOptionsHardwareAccelerators(void *options, int hardware);
int LiteRtCreateCompiledModel(void *environment, void *model, void *options, void **compiled);
int LiteRtGetCompiledModelInputBufferRequirements(void *compiled, size_t signature, size_t index,
                                                  void **requirements);
int LiteRtGetCompiledModelOutputBufferRequirements(void *compiled, size_t signature, size_t index,
                                                   void **requirements);
int LiteRtCreateManagedTensorBufferFromRequirements(void *environment, const tensor_type *type,
                                                    void *requirements, void **buffer);
int LiteRtLockTensorBuffer(void *buffer, void **memory, int mode);
int LiteRtUnlockTensorBuffer(void *buffer);
int LiteRtRunCompiledModel(void *compiled, size_t signature, size_t inputs, void **input,
                           size_t outputs, void **output);

static void *compiled, *input_buffer, *output_buffer;
static size_t output_bytes;

static int failed(const char *what)
{
    fprintf(stderr, "error: LiteRT cannot %s\n", what);
    return 1;
}

int runtime_start(const unsigned char *content, unsigned int length, int classes)
{
    const tensor_type taken = {
        ELEMENT_INT8, {4, 0, {1, FRONT_END_BANDS, FRONT_END_COLUMNS, 1}, {0}}};
    const tensor_type given = {ELEMENT_INT8, {2, 0, {1, classes}, {0}}};
    void *environment, *model, *options, *needed;
    output_bytes = (size_t)classes;
    if (LiteRtCreateEnvironment(0, NULL, &environment) != 0)
        return failed("start");
    if (LiteRtCreateModelFromBuffer(environment, content, length, &model) != 0)
        return failed("read the model");
    if (LiteRtCreateOptions(&options) != 0
        || LiteRtSetOptionsHardwareAccelerators(options, HARDWARE_PROCESSOR) != 0
        || LiteRtCreateCompiledModel(environment, model, options, &compiled) != 0)
        return failed("prepare the model");
    if (LiteRtGetCompiledModelInputBufferRequirements(compiled, 0, 0, &needed) != 0
        || LiteRtCreateManagedTensorBufferFromRequirements(environment, &taken, needed,
                                                           &input_buffer) != 0
        || LiteRtGetCompiledModelOutputBufferRequirements(compiled, 0, 0, &needed) != 0
        || LiteRtCreateManagedTensorBufferFromRequirements(environment, &given, needed,
                                                           &output_buffer) != 0)
        return failed("allocate input and output");
    return 0;
}

int runtime_run(const int8_t *input, int8_t *logits)
{
    void *memory;
    if (LiteRtLockTensorBuffer(input_buffer, &memory, LOCK_WRITE) != 0)
        return failed("write the input");
    memcpy(memory, input, FRONT_END_BANDS * FRONT_END_COLUMNS);
    if (LiteRtUnlockTensorBuffer(input_buffer) != 0
        || LiteRtRunCompiledModel(compiled, 0, 1, &input_buffer, 1, &output_buffer) != 0)
        return failed("run the model");
    if (LiteRtLockTensorBuffer(output_buffer, &memory, LOCK_READ) != 0)
        return failed("read the output");
    memcpy(logits, memory, output_bytes);
    return LiteRtUnlockTensorBuffer(output_buffer) == 0 ? 0 : failed("read the output");
}
