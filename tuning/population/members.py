"""Models of one architecture, with their values side by side."""

import math
import operator

import keras
import numpy as np
from keras import ops

from tuning.population.architecture import Architecture
from tuning.population.loops import backend_loops
from tuning.population.schedules import NUMBER
from tuning.population.schedules import schedule_numbers
from tuning.population.schedules import set_numbers
from tuning.population.stateless_optimizer import HIDDEN
from tuning.population.stateless_optimizer import PRODUCT


class Members(keras.Model):
    """Holds the members of a population, each of their values stacked.

    Args:
        members, learning_rates, vectorize: As for `tuning.Population`, which
            trains them.
        **kwargs: The arguments of every model.
    """

    def __init__(self, members, learning_rates=None, vectorize=None, **kwargs):
        members = list(members)
        if not members:
            raise ValueError(
                "A population should have at least one member. "
                "Received: members=[]"
            )
        architecture = Architecture(members[0])
        checked = {id(members[0])}
        for model in members[1:]:
            if id(model) not in checked and Architecture(model) != architecture:
                raise ValueError(
                    "All members of a population should have one architecture. "
                    f"Received: {members[0].name!r} and {model.name!r}, which "
                    "differ in more than their weights and learning rates."
                )
            checked.add(id(model))
        rates = _learning_rates(members, learning_rates, architecture.optimizer)
        super().__init__(**kwargs)
        # Keras tracks the layers among its attributes; in a closure the
        # architecture's own variables stay out of the population's.
        self._architecture = lambda: architecture
        self._vectorize = (
            backend_loops().is_accelerated() if vectorize is None else vectorize
        )
        self.num_members = len(members)
        self._trainable = self._stacked(members, "trainable_variables", True)
        self._constant = self._stacked(members, "non_trainable_variables")
        numbers = zip(
            *(
                schedule_numbers(each.optimizer.get_config())
                for each in members
            ),
            strict=True,
        )
        self._optimizer_state = [
            self.add_weight(
                shape=(len(members), *variable.shape),
                dtype=variable.dtype,
                initializer=_Values(
                    rates
                    if variable.name == "learning_rate"
                    else next(numbers)
                    if variable.name == NUMBER
                    else [variable] * len(members)
                ),
                trainable=False,
                name=f"optimizer_{i}",
            )
            for i, variable in enumerate(architecture.optimizer.variables)
        ]
        self.built = True

    def _stacked(self, members, attribute, trainable=False):
        variables = [getattr(member, attribute) for member in members]
        return [
            self.add_weight(
                shape=(len(members), *each[0].shape),
                dtype=each[0].dtype,
                initializer=_Values(each),
                trainable=trainable,
                name=f"{attribute}_{i}",
            )
            for i, each in enumerate(zip(*variables, strict=True))
        ]

    def call(self, inputs):
        model = self._architecture().model
        outputs = [
            model.stateless_call(
                [v[member] for v in self._trainable],
                [v[member] for v in self._constant],
                inputs,
            )[0]
            for member in range(self.num_members)
        ]
        return ops.stack(outputs, axis=1)

    def compute_output_shape(self, input_shape):
        shape = self._architecture().model.compute_output_shape(input_shape)
        return (shape[0], self.num_members, *shape[1:])

    def member(self, index):
        """Returns a member as a Keras model of its own, compiled and built.

        Its optimizer has the member's learning rate and state, so training
        can continue from there.

        Args:
            index: Integer from 0, or from the end if negative.
        """
        index = self._index(index)
        model = self._architecture().model
        # Unlike `from_config`, it needs no layer to be registered.
        member = keras.models.clone_model(model)
        if not member.built:
            member.build_from_config(model.get_build_config())
        compiled = model.get_compile_config()
        own, hidden = [], {name: [] for name in HIDDEN}
        for variable, stacked in zip(
            self._architecture().optimizer.variables,
            self._optimizer_state,
            strict=True,
        ):
            hidden.get(variable.name, own).append(stacked)
        if hidden[NUMBER]:
            set_numbers(
                compiled["optimizer"]["config"],
                [float(each[index]) for each in hidden[NUMBER]],
            )
        member.compile_from_config(compiled)
        member.optimizer.build(member.trainable_variables)
        for variables, stacked in (
            (member.trainable_variables, self._trainable),
            (member.non_trainable_variables, self._constant),
            (member.optimizer.variables, own),
        ):
            for variable, values in zip(variables, stacked, strict=True):
                variable.assign(values[index])
        for product in hidden[PRODUCT]:
            optimizer = member.optimizer
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)
            optimizer._u_product.assign(product[index])
        return member

    def member_weights(self, index):
        """Returns a member's weights as arrays, in `get_weights`' order."""
        index = self._index(index)
        return self._in_order(lambda stacked: stacked[index])

    @property
    def member_variables(self):
        """The members' stacked weights, without the optimizers' state."""
        return [*self._trainable, *self._constant]

    def all_weights(self):
        """Returns all members' weights, stacked, in `get_weights`' order."""
        return self._in_order(lambda stacked: stacked)

    def _in_order(self, part):
        model = self._architecture().model
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        values = dict(
            zip(map(id, variables), self.member_variables, strict=True)
        )
        return [
            ops.convert_to_numpy(part(values[id(variable)]))
            for variable in model.weights
        ]

    @property
    def learning_rates(self):
        """Array of a learning rate per member; empty where it is scheduled."""
        for variable in self._rates():
            return ops.convert_to_numpy(variable.value)
        return np.zeros(0)

    @learning_rates.setter
    def learning_rates(self, rates):
        for variable in self._rates():
            variable.assign(np.asarray(rates))

    def state(self):
        """Returns all members' values, as a compiled fold carries them.

        Returns:
            A tuple of three lists of tensors, members first: the trainable
            variables, the others, and the optimizer's.
        """
        return tuple(
            [variable.value for variable in variables]
            for variables in (
                self._trainable,
                self._constant,
                self._optimizer_state,
            )
        )

    def assign_state(self, state):
        """Sets what `state` returns."""
        for variables, values in zip(
            (self._trainable, self._constant, self._optimizer_state),
            state,
            strict=True,
        ):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def _rates(self):
        return [
            mine
            for mine, theirs in zip(
                self._optimizer_state,
                self._architecture().optimizer.variables,
                strict=True,
            )
            if theirs.name == "learning_rate"
        ]

    def _index(self, index):
        """Checks it: JAX gives the last member for one that is not there."""
        if not -self.num_members <= operator.index(index) < self.num_members:
            raise IndexError(
                "Invalid value for argument `index`. Expected one of "
                f"{self.num_members} members. Received: index={index}"
            )
        return index


class _Values(keras.initializers.Initializer):
    """Gives the values of variables, stacked."""

    def __init__(self, variables):
        self.variables = variables

    def __call__(self, shape, dtype=None):
        values = [ops.convert_to_numpy(each) for each in self.variables]
        return ops.convert_to_tensor(np.stack(values), dtype=dtype)


def _learning_rates(members, learning_rates, optimizer):
    if learning_rates is None:
        return [float(member.optimizer.learning_rate) for member in members]
    if all(each.name != "learning_rate" for each in optimizer.variables):
        raise ValueError(
            "Members with a schedule have no learning rate to be set. "
            f"Received: learning_rates={learning_rates}"
        )
    rates = [float(rate) for rate in learning_rates]
    if len(rates) != len(members) or not all(
        0 < rate < math.inf for rate in rates
    ):
        raise ValueError(
            "Invalid value for argument `learning_rates`. Expected a positive "
            f"number for each of {len(members)} members. "
            f"Received: learning_rates={learning_rates}"
        )
    return rates
