"""Weight regularizers, used like `keras.regularizers`."""

from kmul.regularizers.discreteness import Discreteness
from kmul.regularizers.saturation import Saturation

__all__ = [
    "Discreteness",
    "Saturation",
]
