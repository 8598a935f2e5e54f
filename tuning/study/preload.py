"""The first import of the fork server: see `imports`."""

from tuning.study.imports import import_keras

import_keras()
