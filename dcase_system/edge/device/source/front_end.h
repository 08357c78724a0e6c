/* Features of 16-bit samples for one model: its log-mel spectrogram, column by column.
 *
 * front_end_constants.h and front_end_tables.h are written for the model; this file and
 * front_end.c are the same for all. C99; no allocation, no global state, no library but <math.h>,
 * and that only with FRONT_END_FLOAT.
 *
 *     static front_end state;
 *     front_end_start(&state);
 *     while (!front_end_complete(&state))
 *         front_end_push(&state, block, read_microphone(block), features);
 *
 * The default computes in integers and writes the model's int8 input. With FRONT_END_FLOAT it
 * computes in float32 and writes real values. Define it for all files, or for none.
 */
#ifndef FRONT_END_H
#define FRONT_END_H

#include <stddef.h>
#include <stdint.h>

#include "front_end_constants.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef FRONT_END_FLOAT
typedef float front_end_feature;
typedef float front_end_value;
#else
typedef int8_t front_end_feature;
typedef int32_t front_end_value;
#endif

/* The front end's whole memory: one window, and the last samples. Its fields are private. */
typedef struct {
    front_end_value values[FRONT_END_FFT_LENGTH];
    int16_t recent[FRONT_END_RECENT]; /* ring of samples */
    int32_t received;                 /* samples of this clip so far */
    int32_t next;                     /* place of the next sample in the ring */
    int32_t columns;                  /* columns written so far */
} front_end;

/* Starts a clip; what was in the state before does not matter. */
void front_end_start(front_end *state);

/* Takes samples of the clip, and writes every column that they complete.
 *
 * Any number of samples may be passed at a time. Column t is centred on sample t * hop and is
 * written half a window later; the last columns are written with the last sample of the clip.
 *
 * samples:  `count` samples, full scale = 32768.
 * features: FRONT_END_BANDS * FRONT_END_COLUMNS values, band by band, as the model's input has
 *           them: it may be the model's input tensor, if nothing else uses that memory meanwhile.
 * Returns the number of samples taken: less than `count` if the clip ends before.
 */
size_t front_end_push(front_end *state, const int16_t *samples, size_t count,
                      front_end_feature *features);

/* Whether all columns of the clip are written. */
int front_end_complete(const front_end *state);

/* Transforms FRONT_END_FFT_LENGTH real values in place, into X[0], X[length / 2], then real and
 * imaginary part of X[1], X[2] and so on: the order of CMSIS-DSP's arm_rfft_fast_f32. In integers
 * the result is X / FRONT_END_FFT_LENGTH. Define FRONT_END_OWN_FFT to provide a faster one. */
void front_end_fft(front_end_value *values);

#ifdef __cplusplus
}
#endif

#endif /* FRONT_END_H */
