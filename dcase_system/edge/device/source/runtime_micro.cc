// Runs the model with TensorFlow Lite for Microcontrollers.
#include "runtime.h"

#include <cstdio>
#include <cstring>

#include "operators.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {
alignas(16) uint8_t arena[kArenaBytes];
tflite::MicroInterpreter *interpreter = nullptr;

int failed(const char *what) {
    std::printf("error: TFLite Micro cannot %s\n", what);
    return 1;
}
}  // namespace

extern "C" int runtime_start(const unsigned char *content, unsigned int, int) {
    static Operators operators;
    if (add_operators(operators) != kTfLiteOk) return failed("register the operators");
    static tflite::MicroInterpreter one(tflite::GetModel(content), operators, arena, sizeof arena);
    if (one.AllocateTensors() != kTfLiteOk) return failed("place the tensors; the arena is too small");
    interpreter = &one;
    return 0;
}

extern "C" int runtime_run(const int8_t *input, int8_t *logits) {
    TfLiteTensor *taken = interpreter->input(0), *given = interpreter->output(0);
    std::memcpy(taken->data.int8, input, taken->bytes);
    if (interpreter->Invoke() != kTfLiteOk) return failed("run the model");
    std::memcpy(logits, given->data.int8, given->bytes);
    return 0;
}
