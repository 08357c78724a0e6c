"""Samples: decoding, resampling, the waveform store, front ends, augmentation. Knows no labels."""
