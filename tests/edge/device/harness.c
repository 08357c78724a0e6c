/* Runs the front end on the clips of standard input.
 *
 *     harness BLOCK    writes the features of each clip, pushed in blocks of BLOCK samples
 *     harness          prints the size of the state and of the tables
 */
#include <stdio.h>
#include <stdlib.h>

#include "front_end.c"

#ifdef FRONT_END_OWN_FFT
#include <math.h>

/* The definition of the transform, in double precision. */
void front_end_fft(front_end_value *values)
{
    static front_end_value spectrum[FRONT_END_FFT_LENGTH];
    const double turn = 6.283185307179586 / FRONT_END_FFT_LENGTH;
#ifdef FRONT_END_FLOAT
    const double factor = 1.0;
#else
    const double factor = 1.0 / FRONT_END_FFT_LENGTH;
#endif
    int bin, at;
    for (bin = 0; bin <= PAIRS; ++bin) {
        double real = 0.0, imaginary = 0.0;
        for (at = 0; at < FRONT_END_FFT_LENGTH; ++at) {
            double angle = turn * (bin * at % FRONT_END_FFT_LENGTH);
            real += values[at] * cos(angle);
            imaginary -= values[at] * sin(angle);
        }
        spectrum[bin == PAIRS ? 1 : 2 * bin] = (front_end_value)(real * factor);
        if (bin > 0 && bin < PAIRS)
            spectrum[2 * bin + 1] = (front_end_value)(imaginary * factor);
    }
    for (at = 0; at < FRONT_END_FFT_LENGTH; ++at)
        values[at] = spectrum[at];
}
#endif

static void print_sizes(void)
{
    size_t tables = sizeof cosines + sizeof window + sizeof weights + sizeof band_begins
                    + sizeof band_ends;
#ifndef FRONT_END_FLOAT
    tables += sizeof logarithms + sizeof gains + sizeof offsets;
#endif
    printf("%zu %zu\n", sizeof(front_end), tables);
}

int main(int count, char **arguments)
{
    static front_end state;
    static int16_t clip[FRONT_END_SAMPLES];
    static front_end_feature features[FRONT_END_BANDS * FRONT_END_COLUMNS];
    size_t block = count > 1 ? (size_t)atoi(arguments[1]) : 0;
    if (block == 0) {
        print_sizes();
        return 0;
    }
    while (fread(clip, sizeof *clip, FRONT_END_SAMPLES, stdin) == FRONT_END_SAMPLES) {
        size_t at = 0;
        front_end_start(&state);
        while (!front_end_complete(&state)) {
            size_t rest = FRONT_END_SAMPLES - at;
            at += front_end_push(&state, clip + at, block < rest ? block : rest, features);
        }
        if (at != FRONT_END_SAMPLES || front_end_push(&state, clip, 1, features) != 0)
            return 1;
        fwrite(features, sizeof *features, FRONT_END_BANDS * FRONT_END_COLUMNS, stdout);
    }
    return 0;
}
