"""CAS-ViT in PyTorch: the published equations under the published names."""

import numpy as np
import torch
from torch import nn


def depthwise(width):
    return nn.Conv2d(width, width, 3, padding=1, groups=width)


def halving(channels, filters):
    return nn.Conv2d(channels, filters, 3, stride=2, padding=1)


class SpatialGate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = nn.Sequential(
            depthwise(width),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 1, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.block(x)


class ChannelGate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, width, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.block(x)


class Mixer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Conv2d(width, 3 * width, 1, bias=False)
        self.oper_q = nn.Sequential(SpatialGate(width), ChannelGate(width))
        self.oper_k = nn.Sequential(SpatialGate(width), ChannelGate(width))
        self.dwc = depthwise(width)
        self.proj = depthwise(width)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=1)
        return self.proj(self.dwc(self.oper_q(q) + self.oper_k(k)) * v)


class Local(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(width, width, 1),
            nn.BatchNorm2d(width),
            depthwise(width),
            nn.GELU(),
            nn.Conv2d(width, width, 1),
        )

    def forward(self, x):
        return self.network(x)


class MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Conv2d(width, 4 * width, 1)
        self.fc2 = nn.Conv2d(4 * width, width, 1)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.local_perception = Local(width)
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.attn = Mixer(width)
        self.mlp = MLP(width)

    def forward(self, x):
        x = x + self.local_perception(x)
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transition(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.proj = halving(channels, filters)
        self.norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        return self.norm(self.proj(x))


class CASViT(nn.Module):
    def __init__(self, depths, widths, classes, head):
        super().__init__()
        first = widths[0]
        self.patch_embed = nn.Sequential(
            halving(3, first // 2),
            nn.BatchNorm2d(first // 2),
            nn.ReLU(),
            halving(first // 2, first),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        )
        network = []
        for number, (depth, width) in enumerate(
            zip(depths, widths, strict=True)
        ):
            if number:
                network.append(Transition(widths[number - 1], width))
            network.append(nn.Sequential(*(Block(width) for _ in range(depth))))
        self.network = nn.ModuleList(network)
        if head == "stages":
            for number, width in enumerate(widths):
                setattr(self, f"norm{2 * number}", nn.BatchNorm2d(width))
            return
        self.norm = nn.BatchNorm2d(widths[-1])
        self.head = nn.Linear(widths[-1], classes)
        if head == "distillation":
            self.dist_head = nn.Linear(widths[-1], classes)

    def forward(self, x):
        x, outputs = self.patch_embed(x), []
        for number, each in enumerate(self.network):
            x = each(x)
            if hasattr(self, f"norm{number}"):
                outputs.append(getattr(self, f"norm{number}")(x))
        if outputs:
            return outputs
        x = self.norm(x).mean((2, 3))
        if hasattr(self, "dist_head"):
            return (self.head(x) + self.dist_head(x)) / 2
        return self.head(x)


def make(depths, widths, classes, head, dtype):
    """Returns a network with weights and statistics that all count."""
    model = CASViT(depths, widths, classes, head).to(dtype).eval()
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if tensor.ndim == 1:  # biases, and what normalizes
                array = rng.uniform(0.5, 1.5, tensor.shape)
            else:
                scale = np.prod(tensor.shape[1:]) ** -0.5
                array = rng.normal(0, scale, tensor.shape)
            tensor.copy_(torch.from_numpy(np.asarray(array)))
    return model
