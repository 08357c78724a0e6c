"""Teachers, their stored logits, and the losses that pass them on."""
