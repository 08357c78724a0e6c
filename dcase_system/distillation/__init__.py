"""Teachers, their stored logits, and the distillation losses."""
