"""Published PyTorch checkpoints to networks of this package: `python -m ...models.checkpoints`."""
