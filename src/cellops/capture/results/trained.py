"""Models without scikit-learn's methods: boosters of xgboost and lightgbm, modules of torch.

A library that is not imported is not looked for, and none is imported here.
"""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import xxhash

LARGEST_COMPARED = 64 * 2**20
"""Bytes of a module's tensors beyond which their version counters are compared and not their contents."""


class Library(Protocol):
    """What a library's models tell of themselves."""

    def has(self, value: object) -> bool:
        """Whether a value is a model of this library, by its type: no code of the value runs."""
        ...

    def is_trained(self, model: Any) -> bool:
        """Whether a model has learnt something, as far as it shows that."""
        ...

    def state(self, model: Any) -> object:
        """Something that compares as another one when training has changed the model in place."""
        ...

    def parts(self, model: Any) -> list[object]:
        """The models that it is made of."""
        ...

    def parameters(self, model: Any) -> Mapping[str, Any]:
        """What it was told to do, as `get_params()` would say it."""
        ...


def library_of(value: object) -> Library | None:
    """The library that a model belongs to; None for scikit-learn's kind, and for everything that is no model."""
    return next((library for library in LIBRARIES if library.has(value)), None)


def optimizer_parameters(named: Mapping[str, object]) -> dict[str, Any]:
    """The settings of torch's optimizers, by the names that these have: `optimizer.lr`."""
    optimizer = _imported("torch.optim.optimizer", "Optimizer")
    if optimizer is None:
        return {}
    found = {n: value for n, value in named.items() if issubclass(type(value), optimizer) and not n.startswith("_")}
    return {
        f"{name}.{key}": setting
        for name, value in found.items()
        for key, setting in object.__getattribute__(value, "__dict__").get("defaults", {}).items()
    }


class Xgboost:
    def has(self, value: object) -> bool:
        return type(value) is _imported("xgboost.core", "Booster")

    def is_trained(self, model: Any) -> bool:
        return self.state(model) > 0

    def state(self, model: Any) -> int:
        """The rounds of boosting; xgboost refuses to count them before there is any data."""
        try:
            return int(model.num_boosted_rounds())
        except Exception:  # noqa: BLE001 - XGBoostError, which is not imported here
            return 0

    def parts(self, _model: Any) -> list[object]:
        return []

    def parameters(self, model: Any) -> Mapping[str, Any]:
        sections = dict(_sections(json.loads(model.save_config())["learner"]))
        told = {name: value for section in sections.values() for name, value in section.items()}
        return {name: _number(value) for name, value in told.items()} | {"num_boosted_rounds": self.state(model)}


class Lightgbm:
    def has(self, value: object) -> bool:
        return type(value) is _imported("lightgbm.basic", "Booster")

    def is_trained(self, model: Any) -> bool:
        return self.state(model) > 0

    def state(self, model: Any) -> int:
        return int(model.current_iteration())

    def parts(self, _model: Any) -> list[object]:
        return []

    def parameters(self, model: Any) -> Mapping[str, Any]:
        return {**model.params, "current_iteration": self.state(model)}


class Torch:
    def has(self, value: object) -> bool:
        module = _imported("torch.nn", "Module")
        return module is not None and issubclass(type(value), module) and any(True for _ in _tensors(value))

    def is_trained(self, _model: Any) -> bool:
        """A module tells nothing of training: one that a run has made counts as the run's model."""
        return True

    def state(self, model: Any) -> tuple[object, ...]:
        tensors = list(_tensors(model))
        small = sum(tensor.nbytes for tensor in tensors) <= LARGEST_COMPARED
        return tuple((id(tensor), tensor._version, _content(tensor) if small else None) for tensor in tensors)

    def parts(self, model: Any) -> list[object]:
        return [module for module in _modules(model) if module is not model]

    def parameters(self, model: Any) -> Mapping[str, Any]:
        tensors = {id(tensor): tensor for tensor in _tensors(model)}.values()
        learnt = [tensor.numel() for tensor in tensors if tensor.requires_grad]
        return {"numbers": sum(tensor.numel() for tensor in tensors), "trainable_numbers": sum(learnt)}


LIBRARIES: tuple[Library, ...] = (Xgboost(), Lightgbm(), Torch())


def _imported(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def _sections(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The parts of xgboost's configuration that steer the training; the others follow from them and from the data."""
    for name, value in config.items():
        if isinstance(value, dict) and name in {"generic_param", "learner_train_param", "tree_train_param"}:
            yield name, value
        elif isinstance(value, dict):
            yield from _sections(value)


def _number(text: Any) -> Any:
    """The number that a text of xgboost's configuration stands for."""
    with contextlib.suppress(TypeError, ValueError):
        value = json.loads(text)
        return value if type(value) in {int, float} else text
    return text


def _modules(model: Any) -> Iterator[Any]:
    """A module of torch and all inside of it, each once; none of its own methods is called."""
    module = _imported("torch.nn", "Module")
    waiting, seen = [model], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not issubclass(type(one), module):
            continue
        seen.add(id(one))
        yield one
        waiting += _held(one, "_modules")


def _tensors(model: Any) -> Iterator[Any]:
    """The parameters and buffers of a module, of exactly torch's types."""
    types = (_imported("torch.nn", "Parameter"), _imported("torch", "Tensor"))
    for module in _modules(model):
        for tensor in (*_held(module, "_parameters"), *_held(module, "_buffers")):
            if type(tensor) in types:
                yield tensor


def _held(module: Any, where: str) -> list[Any]:
    held = object.__getattribute__(module, "__dict__").get(where)
    return list(held.values()) if isinstance(held, dict) else []


def _content(tensor: Any) -> int | None:
    """The hash of a tensor's numbers; None where they cannot be read in place, as on another device."""
    if tensor.device.type != "cpu":
        return None
    try:
        numbers = tensor.detach().contiguous().reshape(-1).view(sys.modules["torch"].uint8).numpy()
    except (RuntimeError, TypeError):
        return None
    return int(xxhash.xxh3_64_intdigest(numbers))
