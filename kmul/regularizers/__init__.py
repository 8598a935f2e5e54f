"""Weight regularizers, used like `keras.regularizers`."""

from kmul.regularizers.discreteness import Discreteness as Discreteness
from kmul.regularizers.saturation import Saturation as Saturation
