"""Fits an image by functions of its coordinates, and shows what they made.

    KERAS_BACKEND=torch python -m examples.fit_an_image [--steps 1000]

A network that is given where a pixel is answers its color. It is a dense
network with relu, or `kmul.MultiplicativeFilter` with Fourier or Gabor filters,
all of about as many parameters, each trained at three learning rates, the best
of which is shown. The photograph is one that scikit-learn ships. The figure is
the signal-to-noise ratio of the peak, in decibels.
"""

import argparse

import keras
import matplotlib.figure
import numpy as np
from sklearn.datasets import load_sample_image

import kmul

SIZE, HIDDEN, BATCH = 128, 96, 4096
RATES = (1e-3, 3e-3, 1e-2)


def photograph(size=SIZE):
    """Returns an image (size, size, 3) of values from 0 to 1."""
    image = load_sample_image("china.jpg")[:384, 180:564] / 255
    step = 384 // size
    image = image.reshape(size, step, size, step, 3).mean((1, 3))
    return image.astype("float32")


def coordinates(size):
    """Returns where the pixels are, (size · size, 2), from −1 to 1."""
    axis = np.linspace(-1, 1, size, dtype="float32")
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)


def relu():
    hidden = [keras.layers.Dense(HIDDEN + 2, "relu") for _ in range(4)]
    return [*hidden, keras.layers.Dense(3)]


def filters(form):
    return [
        kmul.MultiplicativeFilter(
            3, HIDDEN, form=form, input_scale=float(SIZE), seed=0
        )
    ]


NETWORKS = {
    "relu": relu,
    "Fourier filters": lambda: filters("fourier"),
    "Gabor filters": lambda: filters("gabor"),
}


def fit(layers, image, rate, steps):
    """Returns the image that the layers learn, and their parameters."""
    keras.utils.set_random_seed(0)
    size = len(image)
    x, y = coordinates(size), image.reshape(-1, 3)
    model = keras.Sequential([keras.Input((2,)), *layers()])
    decay = keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(keras.optimizers.Adam(decay), "mse")
    rng = np.random.default_rng(0)
    for _ in range(steps):
        chosen = rng.integers(len(x), size=BATCH)
        model.train_on_batch(x[chosen], y[chosen])
    fitted = model.predict(x, batch_size=BATCH, verbose=0)
    return np.clip(fitted, 0, 1).reshape(image.shape), model.count_params()


def decibels(fitted, image):
    return -10 * np.log10(np.mean((fitted - image) ** 2))


def draw(images, path):
    figure = matplotlib.figure.Figure((3 * len(images), 3.4), dpi=100)
    panels = figure.subplots(1, len(images))
    for axes, (title, image) in zip(panels, images.items(), strict=True):
        axes.imshow(image, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    figure.savefig(path, bbox_inches="tight")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--size", type=int, default=SIZE, choices=(16, SIZE))
    parser.add_argument("--to", default="image.png", help="the picture's path")
    options = parser.parse_args(arguments)
    image = photograph(options.size)
    images = {"photograph": image}
    for name, layers in NETWORKS.items():
        fitted = {}
        for rate in RATES:
            fitted[rate], parameters = fit(layers, image, rate, options.steps)
            found = decibels(fitted[rate], image)
            print(f"{name}, {parameters} parameters, {rate}: {found:.1f} dB")
        best = max(fitted.values(), key=lambda each: decibels(each, image))
        images[f"{name}: {decibels(best, image):.1f} dB"] = best
    draw(images, options.to)


if __name__ == "__main__":
    main()
