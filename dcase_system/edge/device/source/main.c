/* Classifies 16-bit samples from standard input, window by window, or prints their features.
 *
 *     arecord -q -t raw -f S16_LE -r 32000 -c 1 | ./classify
 *     ./classify --reject < recording.raw
 *     ./classify --features < recording.raw
 *
 * With --reject, the answer is `unknown` where the most probable class is below the model's threshold.
 * With --features, a line holds one column of the model's input; a window is COLUMNS lines.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "front_end.h"
#include "model.h"
#include "runtime.h"

static front_end state;
static front_end_feature features[MODEL_INPUT_SIZE];

static void print_features(void)
{
    int band, column;
    for (column = 0; column < FRONT_END_COLUMNS; ++column)
        for (band = 0; band < FRONT_END_BANDS; ++band)
            printf("%.9g%c", (double)features[band * FRONT_END_COLUMNS + column],
                   band + 1 < FRONT_END_BANDS ? ' ' : '\n');
}

/* Quantizes a feature as the model's input has it; integers are that already. */
static int8_t quantized(front_end_feature feature)
{
#ifdef FRONT_END_FLOAT
    float stored = rintf(feature / MODEL_INPUT_SCALE) + (float)MODEL_INPUT_ZERO_POINT;
    return (int8_t)fmaxf(-128.0f, fminf(127.0f, stored));
#else
    return feature;
#endif
}

static void to_probabilities(const int8_t *logits, float *probabilities)
{
    int at, softmax = strcmp(MODEL_ACTIVATION, "softmax") == 0;
    float largest = -128.0f, sum = 0.0f;
    for (at = 0; at < MODEL_CLASSES; ++at)
        largest = fmaxf(largest, logits[at]);
    for (at = 0; at < MODEL_CLASSES; ++at) {
        float logit = MODEL_OUTPUT_SCALE * (logits[at] - (softmax ? largest : MODEL_OUTPUT_ZERO_POINT));
        probabilities[at] = softmax ? expf(logit) : 1.0f / (1.0f + expf(-logit));
        sum += probabilities[at];
    }
    if (strcmp(MODEL_ACTIVATION, "sigmoid") != 0)
        for (at = 0; at < MODEL_CLASSES; ++at)
            probabilities[at] /= sum;
}

static int print_class(double start_seconds, float threshold)
{
    static int8_t input[MODEL_INPUT_SIZE];
    int8_t logits[MODEL_CLASSES];
    float probabilities[MODEL_CLASSES];
    int at, best = 0;
    for (at = 0; at < MODEL_INPUT_SIZE; ++at)
        input[at] = quantized(features[at]);
    if (runtime_run(input, logits) != 0)
        return 1;
    to_probabilities(logits, probabilities);
    for (at = 1; at < MODEL_CLASSES; ++at)
        if (logits[at] > logits[best])
            best = at;
    printf("%.2f %s", start_seconds, probabilities[best] < threshold ? "unknown" : model_labels[best]);
    for (at = 0; at < MODEL_CLASSES; ++at)
        printf(" %.6f", (double)probabilities[at]);
    printf("\n");
    fflush(stdout);
    return 0;
}

int main(int count, char **arguments)
{
    unsigned char bytes[2 * FRONT_END_HOP_LENGTH];
    int16_t samples[FRONT_END_HOP_LENGTH];
    size_t length, at;
    long windows = 0;
    int only_features = count > 1 && strcmp(arguments[1], "--features") == 0;
    int reject = count > 1 && strcmp(arguments[1], "--reject") == 0;
    if (count > 2 || (count == 2 && !only_features && !reject)) {
        fprintf(stderr, "error: unknown argument; expected --features, --reject or nothing\n");
        return 2;
    }
    if (reject && MODEL_REJECTION_THRESHOLD == 0.0f) {
        fprintf(stderr, "error: this model has no threshold; expected no --reject\n");
        return 2;
    }
    if (!only_features && runtime_start(model, model_length, MODEL_CLASSES) != 0)
        return 1;
    front_end_start(&state);
    while ((length = fread(bytes, 2, FRONT_END_HOP_LENGTH, stdin)) > 0) {
        size_t taken = 0;
        for (at = 0; at < length; ++at) /* little-endian, whatever this processor is */
            samples[at] = (int16_t)(uint16_t)(bytes[2 * at] | bytes[2 * at + 1] << 8);
        while (taken < length) {
            taken += front_end_push(&state, samples + taken, length - taken, features);
            if (!front_end_complete(&state))
                continue;
            if (only_features)
                print_features();
            else if (print_class((double)windows * MODEL_SAMPLES / MODEL_FRONT_END_SAMPLE_RATE,
                                 reject ? MODEL_REJECTION_THRESHOLD : 0.0f) != 0)
                return 1;
            ++windows;
            front_end_start(&state);
        }
    }
    if (windows == 0) {
        fprintf(stderr, "error: standard input has %ld samples; a window of this model needs %d\n",
                (long)state.received, MODEL_SAMPLES);
        return 1;
    }
    if (state.received > 0)
        fprintf(stderr, "last %ld samples not classified\n", (long)state.received);
    return 0;
}
