"""A hypermodel's own `fit`, where it only passes arguments on."""

import keras_tuner
import pytest

from tuning.tuner import own_fit

# No backend is used.
pytestmark = pytest.mark.backends("torch")


class Chooses(keras_tuner.HyperModel):
    def build(self, hp):
        return None

    def fit(self, hp, model, x, *args, callbacks=(), **kwargs):
        """Its batch size is a hyperparameter."""
        if hp.Boolean("halved"):
            x = x / 2
        return model.fit(
            x,
            *args,
            batch_size=hp.Choice("batch_size", [4, 8]),
            callbacks=[*callbacks, "mine"],
            **kwargs,
        )


class More(Chooses):
    def fit(self, hp, model, *args, **kwargs):
        return super().fit(hp, model, *args, epochs=hp.Int("e", 2, 5), **kwargs)


class Looks(keras_tuner.HyperModel):
    def fit(self, hp, model, *args, **kwargs):
        history = model.fit(*args, **kwargs)
        return history


class Evaluates(keras_tuner.HyperModel):
    def fit(self, hp, model, x, y, **kwargs):
        model.fit(x, y, **kwargs)
        return model.evaluate(x, y)


class Loops(Chooses):
    def fit(self, hp, network, x, **kwargs):
        for _ in range(3):
            network.train_on_batch(x)


class Sometimes(keras_tuner.HyperModel):
    def fit(self, hp, model, x, **kwargs):
        if hp.Boolean("trained"):
            return model.fit(x, **kwargs)
        return 0.0


class BehindLoops(Loops):
    def fit(self, hp, model, *args, **kwargs):
        return super().fit(hp, model, *args, **kwargs)


def test_none():
    class Plain(keras_tuner.HyperModel):
        pass

    assert not own_fit.has_own_fit(Plain())
    assert own_fit.has_own_fit(Chooses())


@pytest.mark.parametrize("kind", [Chooses, More])
def test_arguments_are_known(kind):
    hypermodel, hp = kind(), keras_tuner.HyperParameters()
    assert own_fit.why_unknown(hypermodel) is None
    args, kwargs = own_fit.fit_call(
        hypermodel, hp, (3.0, 5), {"verbose": 0, "callbacks": ["theirs"]}
    )
    assert args == (3.0, 5)
    wanted = {"batch_size": 4, "verbose": 0, "callbacks": ["theirs", "mine"]}
    if kind is More:
        wanted["epochs"] = 2
    assert kwargs == wanted
    assert "batch_size" in hp.values


@pytest.mark.parametrize(
    "kind", [Looks, Evaluates, Loops, Sometimes, BehindLoops]
)
def test_arguments_are_not_known(kind):
    assert own_fit.why_unknown(kind()) == (
        f"the `fit` of {kind.__name__} does more than "
        "`return model.fit(…)` with its model"
    )


def test_without_source():
    kind = type("Made", (keras_tuner.HyperModel,), {})
    scope = {}
    exec("def fit(self, hp, model):\n    return model.fit()", scope)
    kind.fit = scope["fit"]
    assert "does more" in own_fit.why_unknown(kind())
