"""Converts published PyTorch checkpoints to our networks: `python -m ...models.checkpoints`."""
