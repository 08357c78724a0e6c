"""PaSST in PyTorch with the published tensor names, as the reference of the parity tests.

Written from the published description (see dcase_system/models/passt.py), not copied; inference
only.
"""

import torch
from torch import nn

from dcase_system.models.passt import PaSSTSpec


class PatchEmbed(nn.Module):
    def __init__(self, spec: PaSSTSpec):
        super().__init__()
        self.proj = nn.Conv2d(1, spec.embed_dim, spec.patch_size, spec.strides)


class Attention(nn.Module):
    def __init__(self, spec: PaSSTSpec):
        super().__init__()
        self.heads = spec.heads
        self.qkv = nn.Linear(spec.embed_dim, 3 * spec.embed_dim)
        self.proj = nn.Linear(spec.embed_dim, spec.embed_dim)

    def forward(self, x):
        batch, tokens, channels = x.shape
        heads = [
            part.reshape(batch, tokens, self.heads, channels // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        ]
        mixed = nn.functional.scaled_dot_product_attention(*heads)
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, channels))


class Mlp(nn.Module):
    def __init__(self, spec: PaSSTSpec):
        super().__init__()
        self.fc1 = nn.Linear(spec.embed_dim, spec.mlp_dim)
        self.fc2 = nn.Linear(spec.mlp_dim, spec.embed_dim)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, spec: PaSSTSpec):
        super().__init__()
        self.norm1 = nn.LayerNorm(spec.embed_dim, eps=1e-6)
        self.attn = Attention(spec)
        self.norm2 = nn.LayerNorm(spec.embed_dim, eps=1e-6)
        self.mlp = Mlp(spec)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PaSST(nn.Module):
    """Log-mel (batch, 1, mels, frames) to (logits, features)."""

    def __init__(self, spec: PaSSTSpec):
        super().__init__()
        width, (rows, columns) = spec.embed_dim, spec.grid
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.dist_token = nn.Parameter(torch.zeros(1, 1, width))
        self.new_pos_embed = nn.Parameter(torch.zeros(1, 2, width))
        self.freq_new_pos_embed = nn.Parameter(torch.zeros(1, width, rows, 1))
        self.time_new_pos_embed = nn.Parameter(torch.zeros(1, width, 1, columns))
        self.patch_embed = PatchEmbed(spec)
        self.blocks = nn.Sequential(*[Block(spec) for _ in range(spec.depth)])
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, spec.classes))
        self.head_dist = nn.Linear(width, spec.classes)

    def forward(self, x):
        x = self.patch_embed.proj(x)
        x = x + self.time_new_pos_embed[..., : x.shape[-1]] + self.freq_new_pos_embed
        x = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token, self.dist_token], dim=1) + self.new_pos_embed
        x = torch.cat([tokens.expand(len(x), -1, -1), x], dim=1)
        features = self.norm(self.blocks(x))[:, :2].mean(dim=1)
        return self.head(features), features
