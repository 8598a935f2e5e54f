import keras

from kmul._validation import check_boolean
from kmul._validation import check_choice
from kmul._validation import check_each_positive
from kmul._validation import check_positive_integer
from kmul._validation import check_rate
from kmul.layers.vision.star_block_2d import StarBlock2D
from kmul.models._downsampling import Downsampling
from kmul.models._image_classifier import check_image_shape

# name → width of the first stage, blocks of each.
VARIANTS = {
    "s1": (24, (2, 2, 8, 3)),
    "s2": (32, (1, 2, 6, 2)),
    "s3": (32, (2, 2, 8, 4)),
    "s4": (32, (3, 3, 12, 5)),
}
STEM_FILTERS = 32


@keras.saving.register_keras_serializable(package="kmul")
class StarNet(keras.Model):
    """An image network whose blocks multiply two projections.

    A convolution of 3×3 with stride 2 to 32 channels and relu6 comes first.
    Each of four stages halves the image by another such convolution, to
    `width`, 2 · `width`, 4 · `width` and 8 · `width` channels, and has blocks
    `StarBlock2D`. Batch normalization follows every one of these convolutions
    and the last block; the mean over all pixels goes through a dense layer.

    | variant | parameters | multiply-adds at 224 × 224 |
    |---|--:|--:|
    | s1 | 2,869,168 | 422 M |
    | s2 | 3,682,024 | 544 M |
    | s3 | 5,750,792 | 754 M |
    | s4 | 7,482,728 | 1,050 M |

    for 1,000 classes. Kernels start with a standard deviation of 0.02, as in
    the original.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width may be
            None.
        classes: Positive integer, the size of the output.
        variant: `"s1"`, `"s2"`, `"s3"` or `"s4"`.
        width: Positive integer, channels of the first stage, the variant's by
            default.
        depths: List of four positive integers, the blocks of each stage, the
            variant's by default.
        ratio: Positive integer, as of `kmul.layers.StarBlock2D`.
        drop_rate: Number in [0, 1), the probability that the last block is
            dropped for a sample in training. It rises from 0 at the first, in
            equal steps.
        classifier_activation: Activation of the output.
        dtype, name, trainable: As in `CNN`.

    Example:

    ```python
    model = kmul.models.StarNet((64, 64, 3), classes=10, depths=[1, 1, 1, 1])
    model.compile("adam", "sparse_categorical_crossentropy")
    ```

    Reference:
        - [Rewrite the Stars (Ma et al., 2024)](
          https://arxiv.org/abs/2403.19967)
    """

    def __init__(
        self,
        image_shape,
        classes,
        variant="s1",
        width=None,
        depths=None,
        ratio=4,
        drop_rate=0.0,
        classifier_activation="softmax",
        dtype=None,
        name=None,
        trainable=True,
    ):
        image_shape = check_image_shape(image_shape, "avg")
        classes = check_positive_integer("classes", classes)
        check_choice("variant", variant, VARIANTS)
        if width is not None:
            width = check_positive_integer("width", width)
        if depths is not None:
            depths = check_each_positive("depths", depths, 4)
        drop_rate = check_rate("drop_rate", drop_rate)
        trainable = check_boolean("trainable", trainable)

        settings = {"dtype": dtype, "data_format": "channels_last"}
        kernel_initializer = keras.initializers.RandomNormal(stddev=0.02)

        def halve(filters, name, activation=None):
            return Downsampling(
                filters,
                activation,
                # A copy with a seed of its own.
                kernel_initializer=kernel_initializer.clone(),
                **settings,
                name=name,
            )

        variant_width, variant_depths = VARIANTS[variant]
        blocks = sum(depths or variant_depths)
        image = keras.Input(image_shape, name="image")
        x = halve(STEM_FILTERS, "stem", "relu6")(image)
        block = 0
        for stage, depth in enumerate(depths or variant_depths):
            filters = (width or variant_width) * 2**stage
            x = halve(filters, f"stage_{stage + 1}")(x)
            for _ in range(depth):
                x = StarBlock2D(
                    ratio,
                    drop_rate=drop_rate * block / max(1, blocks - 1),
                    kernel_initializer=kernel_initializer.clone(),
                    **settings,
                    name=f"block_{block + 1}",
                )(x)
                block += 1
        x = keras.layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=dtype, name="normalization"
        )(x)
        x = keras.layers.GlobalAveragePooling2D(**settings, name="pooling")(x)
        x = keras.layers.Dense(
            classes,
            activation=classifier_activation,
            kernel_initializer=kernel_initializer.clone(),
            dtype=dtype,
            name="classifier",
        )(x)
        super().__init__(image, x, name=name, trainable=trainable)

        # A functional model does not take its policy as an argument.
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.image_shape = image_shape
        self.classes = classes
        self.variant = variant
        self.width = width
        self.depths = depths
        self.ratio = ratio
        self.drop_rate = drop_rate
        self.classifier_activation = keras.activations.get(
            classifier_activation
        )

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "image_shape": self.image_shape,
            "classes": self.classes,
            "variant": self.variant,
            "width": self.width,
            "depths": self.depths,
            "ratio": self.ratio,
            "drop_rate": self.drop_rate,
            "classifier_activation": keras.activations.serialize(
                self.classifier_activation
            ),
        }
