"""A fleet of packages, each with one misbehaviour; those that hold a payload would leave a file behind if it ran."""

import io
import json
import os
import pickle
import socket
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from cellops.packaging.formats import FORMATS
from cellops.packaging.manifest import LARGEST_MANIFEST, write

ENDLESS, NO_TEXT = b"[" * 200_000, b'{"name\xee": 1}'
Change = Callable[[Path, Path], object]
"""What is done to a sound package, with the path of the file that nothing may make."""


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.marker,)


def seal(package: Path) -> None:
    """Make the manifest fit what is there."""
    write(package, json.loads((package / "manifest.json").read_text())["name"], None)


def edit(path: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def model_of(package: Path, name: str, content: bytes) -> None:
    """Let the package keep its model in a format, in a file with this content."""
    for known in FORMATS.values():
        (package / known.file).unlink(missing_ok=True)
    (package / FORMATS[name].file if name in FORMATS else package / f"model.{name}").write_bytes(content)
    edit(package / "provenance.json", lambda document: document.update(model_format=name))
    seal(package)


def edit_skops(package: Path, change: Callable[[dict[str, Any], dict[str, bytes]], object]) -> None:
    """Change the description and the files inside of model.skops."""
    path = package / "model.skops"
    with zipfile.ZipFile(path) as file:
        held = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(held.pop("schema.json"))
    change(schema, held)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in {**held, "schema.json": json.dumps(schema).encode()}.items():
            file.writestr(name, content)
    seal(package)


def node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, **more}


def text(value: object) -> dict[str, Any]:
    return node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def row(*values: dict[str, Any]) -> dict[str, Any]:
    return node("TupleNode", "builtins", "tuple", content=list(values))


NOTHING = node("DictNode", "builtins", "dict", content={}, key_types=node("ListNode", "builtins", "list", content=[]))


def planted(make: Callable[[str], dict[str, Any]]) -> Change:
    """A model with a part of skops among the attributes of its own."""

    def change(package: Path, marker: Path) -> None:
        def plant(schema: dict[str, Any], _files: dict[str, bytes]) -> None:
            schema["content"]["content"]["verbose"] = make(str(marker))

        edit_skops(package, plant)

    return change


def _function(marker: str) -> dict[str, Any]:
    del marker
    return node("FunctionNode", "os", "mkdir", content="")


def _partial(marker: str) -> dict[str, Any]:
    held = {"func": _function(marker), "args": row(text(marker)), "kwds": NOTHING, "namespace": text(None)}
    return node("PartialNode", "functools", "partial", content=held)


def _partial_as_text(marker: str) -> dict[str, Any]:
    return _partial(marker) | {"__class__": "str", "__module__": "builtins"}


def _loss(marker: str) -> dict[str, Any]:
    return node("LossNode", "os", "mkdir", __reduce__={"args": row(text(marker))}, content=NOTHING)


def _loss_of_a_trusted_name(marker: str) -> dict[str, Any]:
    return node("LossNode", "numpy", "ndarray", __reduce__={"args": row(text([9]))}, content=NOTHING)


def _tree(marker: str) -> dict[str, Any]:
    return node("TreeNode", "os", "mkdir", __reduce__={"args": row(text(marker))}, content=NOTHING)


def _constructed(marker: str) -> dict[str, Any]:
    return node("ConstructorFromReduceNode", "os", "mkdir", content=row(text(marker)))


def _constructed_estimator(marker: str) -> dict[str, Any]:
    return node("ConstructorFromReduceNode", "sklearn.datasets._base", "load_files", content=row(text(marker)))


def _object(marker: str) -> dict[str, Any]:
    return node("ObjectNode", "subprocess", "Popen", content=text({"args": ["mkdir", marker]}))


def _object_called_a_method(marker: str) -> dict[str, Any]:
    held = {"obj": node("ObjectNode", "pathlib", "PosixPath", content=text([marker])), "func": "mkdir"}
    return node("MethodNode", "pathlib", "PosixPath", content=held)


def _method_of_an_estimator(marker: str) -> dict[str, Any]:
    held = node("ObjectNode", "sklearn.linear_model._ridge", "Ridge", content=NOTHING)
    return node("MethodNode", "sklearn.linear_model._ridge", "Ridge", content={"obj": held, "func": "__init__"})


def _operator(marker: str) -> dict[str, Any]:
    return node("OperatorFuncNode", "operator", "methodcaller", attrs=row(text("mkdir"), text(marker)))


def _operator_called(marker: str) -> dict[str, Any]:
    return node("OperatorFuncNode", "operator", "call", attrs=row(_function(marker), text(marker)))


def _default(marker: str) -> dict[str, Any]:
    held = {"default_factory": node("TypeNode", "os", "getcwd"), "main_dict": NOTHING}
    return node("DefaultDictNode", "collections", "defaultdict", content=held)


def _listed(marker: str) -> dict[str, Any]:
    return node("ListNode", "os", "mkdir", content=[text(marker)])


def _mapped(marker: str) -> dict[str, Any]:
    return NOTHING | {"__class__": "getcwd", "__module__": "os"}


def _generator(marker: str) -> dict[str, Any]:
    state = node(
        "DictNode", "builtins", "dict", content={"bit_generator": text("seed")}, key_types=NOTHING["key_types"]
    )
    return node(
        "RandomGeneratorNode",
        "numpy.random._generator",
        "Generator",
        content={"bit_generator": state, "seed_seq": NOTHING},
    )


def _type(marker: str) -> dict[str, Any]:
    return node("TypeNode", "builtins", "eval")


def _imported(marker: str) -> dict[str, Any]:
    return node("ObjectNode", "cellops_trap", "Thing", content=NOTHING)


def _unknown(marker: str) -> dict[str, Any]:
    return node("EvalNode", "builtins", "str", content="1")


def _circle(marker: str) -> dict[str, Any]:
    return node("CachedNode", "builtins", "str", __id__=424242)


def _deep(marker: str) -> dict[str, Any]:
    inner = text("x")
    for _ in range(400):
        inner = node("ListNode", "builtins", "list", content=[inner])
    return inner


SKOPS: dict[str, Change] = {
    f"skops with {name}": planted(make)
    for name, make in {
        "a function": _function,
        "a partial": _partial,
        "a partial called a text": _partial_as_text,
        "a loss that is none": _loss,
        "a loss called an array": _loss_of_a_trusted_name,
        "a tree that is none": _tree,
        "a constructor": _constructed,
        "a constructor of scikit-learn": _constructed_estimator,
        "an object": _object,
        "a method": _object_called_a_method,
        "a method of an estimator": _method_of_an_estimator,
        "a caller of methods": _operator,
        "an operator that calls": _operator_called,
        "a default": _default,
        "a list that is none": _listed,
        "a mapping that is none": _mapped,
        "a generator that is none": _generator,
        "a type": _type,
        "a module of its own": _imported,
        "a loader that nobody knows": _unknown,
        "an object that is not there": _circle,
        "lists without end": _deep,
    }.items()
}


def _protocol(number: object) -> Change:
    def change(package: Path, marker: Path) -> None:
        edit_skops(package, lambda schema, _: schema.update(protocol=number))

    return change


def _arrays(write_array: Callable[[Path], bytes]) -> Change:
    def change(package: Path, marker: Path) -> None:
        def replace(_schema: dict[str, Any], files: dict[str, bytes]) -> None:
            for name in files:
                files[name] = write_array(marker)

        edit_skops(package, replace)

    return change


def _pickled_array(marker: Path) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Payload(marker)], dtype=object), allow_pickle=True)
    return out.getvalue()


def _claimed_array(_marker: Path) -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    return b"\x93NUMPY\x01\x00" + len(header + b"\n").to_bytes(2, "little") + header + b"\n"


def _long_header(_marker: Path) -> bytes:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(5_000_000) + b"\n"
    return b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header + bytes(8)


def _evil_descr(_marker: Path) -> bytes:
    header = b"{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,), }\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8)


def _bomb_in_skops(package: Path, marker: Path) -> None:
    with zipfile.ZipFile(package / "model.skops", "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb", bytes(20_000_000))
    seal(package)


def _two_schemas(package: Path, marker: Path) -> None:
    with zipfile.ZipFile(package / "model.skops", "a") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile tells of names that are there twice
        harmless = file.read("schema.json")
        file.writestr("schema.json", json.dumps(_loss(str(marker)) | {"protocol": 2}))
        file.writestr("schema.json", harmless)
    seal(package)


def _nested_schema(package: Path, marker: Path) -> None:
    with zipfile.ZipFile(package / "model.skops", "w") as file:
        file.writestr("schema.json", '{"content":' * 100_000)
    seal(package)


def _with_bytes(name: str, make: Callable[[Path], bytes]) -> Change:
    return lambda package, marker: model_of(package, name, make(marker))


def _joblib(marker: Path) -> bytes:
    out = io.BytesIO()
    joblib.dump({"model": Payload(marker)}, out)
    return out.getvalue()


def _pickle(marker: Path) -> bytes:
    return pickle.dumps(Payload(marker))


def _onnx(**node: Any) -> Callable[[Path], bytes]:
    """A graph of one operator, with a tensor that lies elsewhere where none is named."""

    def made(_marker: Path) -> bytes:
        import onnx
        from onnx import helper

        given = helper.make_tensor_value_info("inputs", onnx.TensorProto.FLOAT, [None, 1])
        answer = helper.make_tensor_value_info("label", onnx.TensorProto.FLOAT, [None])
        outside = helper.make_tensor("outside", onnx.TensorProto.FLOAT, [1], [1.0])
        if not node:
            outside.ClearField("float_data")
            outside.data_location = onnx.TensorProto.EXTERNAL
            outside.external_data.add(key="location", value="../../../etc/hostname")
        one = helper.make_node(node.get("name", "Identity"), ["inputs"], ["label"], domain=node.get("domain", ""))
        opsets = [helper.make_opsetid(domain, 1 if domain else 21) for domain in {"", node.get("domain", "")}]
        graph = helper.make_graph([one], "graph", [given], [answer], initializer=[outside])
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        return bytes(model.SerializeToString())

    return made


MODELS: dict[str, Change] = {
    f"a pickle as {name}": _with_bytes(name, _pickle) for name in sorted({*FORMATS, "onnx", "xgboost", "lightgbm"})
}
MODELS |= {
    "ONNX with data outside of the package": _with_bytes("onnx", _onnx()),
    "ONNX with operators of its own": _with_bytes("onnx", _onnx(name="Evil", domain="com.evil")),
    "joblib as skops": _with_bytes("skops", _joblib),
    "joblib as a pickle": _with_bytes("pickle", _joblib),
    "a pickled array in skops": _arrays(_pickled_array),
    "an array in skops larger than memory": _arrays(_claimed_array),
    "an array in skops with a long header": _arrays(_long_header),
    "an array in skops with code for a type": _arrays(_evil_descr),
    "a bomb in skops": _bomb_in_skops,
    "two descriptions in skops": _two_schemas,
    "a description of skops without end": _nested_schema,
    "an older protocol of skops": _protocol(0),
    "a newer protocol of skops": _protocol(99),
    "no number for a protocol": _protocol("2"),
}


def _manifest(change: Callable[[Any], object]) -> Change:
    return lambda package, marker: edit(package / "manifest.json", change)


def _listed_as(path: str) -> Change:
    return _manifest(lambda document: document["files"].append({"path": path, "sha256": "0" * 64, "size": 1}))


def _linked(name: str) -> Change:
    def change(package: Path, marker: Path) -> None:
        (package / name).rename(marker.parent / "elsewhere")
        (package / name).symlink_to(marker.parent / "elsewhere")

    return change


def _hard_linked(package: Path, marker: Path) -> None:
    """The second name of a file, by which it is changed when the package is complete."""
    (marker.parent / "other name").hardlink_to(package / "model.skops")
    (marker.parent / "other name").write_bytes(_pickle(marker))


def _socket(package: Path, marker: Path) -> None:
    here = Path.cwd()
    os.chdir(package)  # the address of a socket is short
    try:
        socket.socket(socket.AF_UNIX).bind("s")
    finally:
        os.chdir(here)


def _piped_manifest(package: Path, marker: Path) -> None:
    (package / "manifest.json").unlink()
    os.mkfifo(package / "manifest.json")


def _same_size(package: Path, marker: Path) -> None:
    content = bytearray((package / "model.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (package / "model.skops").write_bytes(content)


def _written(path: str, content: bytes, *, sealed: bool) -> Change:
    def change(package: Path, marker: Path) -> None:
        (package / path).write_bytes(content)
        if sealed:
            seal(package)

    return change


FILES: dict[str, Change] = {
    "a path that leaves the package": _listed_as("../outside"),
    "an absolute path": _listed_as("/etc/hostname"),
    "a drive": _listed_as("C:/x"),
    "a backslash": _listed_as("..\\x"),
    "a device of Windows": _listed_as("contract/con.json"),
    "escapes in a path": _listed_as("\x1b[2Jx"),
    "a path listed twice": _manifest(lambda document: document["files"].append(document["files"][0])),
    "a file that is not listed": lambda package, _: (package / "sitecustomize.py").write_text("raise SystemExit"),
    "a listed file that is not there": lambda package, _: (package / "MLmodel").unlink(),
    "a manifest that lists less": _manifest(lambda document: document["files"].pop()),
    "a manifest that lists more": _listed_as("more"),
    "a manifest that lists nothing": _manifest(lambda document: document.update(files=[])),
    "another size": _manifest(lambda document: document["files"][0].update(size=1)),
    "no size": _manifest(lambda document: document["files"][0].update(size=-1)),
    "an endless size": _manifest(lambda document: document["files"][0].update(size=2**62)),
    "another digest": _manifest(lambda document: document["files"][0].update(sha256="0" * 64)),
    "a changed byte": _same_size,
    "a linked file": _linked("model.skops"),
    "a linked folder": _linked("contract"),
    "a linked manifest": _linked("manifest.json"),
    "a file changed by its other name": _hard_linked,
    "a pipe": lambda package, _: os.mkfifo(package / "pipe"),
    "a pipe for a manifest": lambda package, _: (
        (package / "manifest.json").unlink(),
        os.mkfifo(package / "manifest.json"),
    ),
    "a socket": _socket,
    "a huge manifest": lambda package, _: (package / "manifest.json").write_bytes(b" " * (LARGEST_MANIFEST + 1)),
    "a manifest without end": _written("manifest.json", ENDLESS, sealed=False),
    "a provenance without end": _written("provenance.json", ENDLESS, sealed=True),
    "a schema without end": _written("contract/schema.json", ENDLESS, sealed=True),
    "a manifest that is no text": _written("manifest.json", NO_TEXT, sealed=False),
    "a provenance that is no text": _written("provenance.json", NO_TEXT, sealed=True),
    "a schema that is no text": _written("contract/schema.json", NO_TEXT, sealed=True),
}

FLEET: dict[str, Change] = FILES | MODELS | SKOPS
