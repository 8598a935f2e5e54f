import os
import signal
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
# Tests run side by side; torch's threads would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Without AVX-512, PyTorch 2.13 crashes in the backward pass of a convolution
# of size 1 and stride 2 on one channel, which `PolynomialBlock2D` has. The
# fault is in the programs that oneDNN writes for AVX2.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX")
# Nearly all the time of a test on JAX is compilation.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 "
    "--xla_llvm_disable_expensive_passes=true",
)

import keras
import pytest

# A shell's background jobs ignore Ctrl-C, and so would what they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

BACKENDS = ("jax", "tensorflow", "torch")


# No test touches the data directory of whoever runs it. TFDS reads the name of
# it when it is imported.
data_dir = tempfile.TemporaryDirectory(prefix="kmul-test-data-")
os.environ["TFDS_DATA_DIR"] = data_dir.name


# Nor their compiled programs; and the tests' searches share theirs.
cache_dir = tempfile.TemporaryDirectory(prefix="kmul-test-cache-")
os.environ["KMUL_CACHE_DIR"] = cache_dir.name


# JAX's programs are compiled once for all processes of a run: the first one
# names the folder, and the others get its environment.
shared_dir = None
if keras.config.backend() == "jax":
    import jax

    if "KMUL_TEST_PROGRAMS" not in os.environ:
        shared_dir = tempfile.TemporaryDirectory(prefix="kmul-test-programs-")
        os.environ["KMUL_TEST_PROGRAMS"] = shared_dir.name
    jax.config.update(
        "jax_compilation_cache_dir", os.environ["KMUL_TEST_PROGRAMS"]
    )
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def pytest_unconfigure():
    data_dir.cleanup()
    cache_dir.cleanup()
    if shared_dir:
        shared_dir.cleanup()


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "backends(*names): run on these backends only"
    )


def pytest_collection_modifyitems(items):
    backend = keras.config.backend()
    for item in items:
        marker = item.get_closest_marker("backends")
        if marker and backend not in marker.args:
            reason = f"only on {', '.join(marker.args)}"
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def fresh_state():
    """Every test starts from the same seed and leaves no policy behind."""
    keras.utils.set_random_seed(0)
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def other_backends():
    return [name for name in BACKENDS if name != keras.config.backend()]
