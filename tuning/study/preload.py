"""What the fork server imports before anything else: see `imports`."""

from tuning.study.imports import import_keras

import_keras()
