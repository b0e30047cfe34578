"""Modules of torch that a run trains; torch's wheel is too large for the development group, so it may not be there."""

import pytest

from support.kernel import Kernel

NET = (
    "import torch\n_ = torch.manual_seed(3)\n"
    "class Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.inner = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1))\n"
    "    def forward(self, x): return self.inner(x)\n"
    "inputs = torch.rand(8, 2)\nnet = Net()\nlayers = net.inner\nloss = torch.nn.MSELoss()\n"
    "optimizer = torch.optim.SGD(net.parameters(), lr=0.25)\n"
)
STEP = (
    "for epoch in range(2):\n    optimizer.zero_grad()\n    error = loss(net(inputs), inputs.sum(1, keepdim=True))\n"
    "    error.backward()\n    optimizer.step()\nfinal = error.item()"
)


@pytest.fixture
def with_torch(loaded: Kernel) -> Kernel:
    pytest.importorskip("torch")
    return loaded


def test_a_module_trained_in_a_loop_is_the_runs_model(with_torch: Kernel) -> None:
    assert with_torch.run(f"%%mlops run\n{NET}{STEP}").status == "ok"
    run = with_torch.closed()[-1]
    assert [(model.name, model.type) for model in run.models] == [("net", "__main__.Net")]
    assert (run.parameters["net.trainable_numbers"], run.parameters["optimizer.lr"]) == (25, 0.25)
    assert run.parameters["net.numbers"] == 25 + 9
    assert run.metrics["final"] > 0


@pytest.mark.parametrize(
    ("cell", "models"),
    [
        (STEP, ["net"]),
        ("net.inner[2].bias.data += 1", ["net"]),
        ("_ = net(inputs)", ["net"]),
        ("net.eval()\ny = net(inputs)", []),
        ("total = sum(p.sum() for p in net.parameters()).item()", []),
    ],
    ids=["steps", "data", "running means", "evaluation", "looked at"],
)
def test_a_module_is_of_the_run_that_changed_its_numbers(with_torch: Kernel, cell: str, models: list[str]) -> None:
    assert with_torch.run(NET).status == "ok"
    assert with_torch.run(f"%%mlops run\n{cell}").status == "ok"
    assert [model.name for model in with_torch.closed()[-1].models] == models


def test_the_methods_of_a_module_are_not_called(with_torch: Kernel) -> None:
    bad = (
        "\nclass Bad(Net):\n    def parameters(self, recurse=True): raise SystemExit\n"
        "    def state_dict(self): raise SystemExit\n    def __getattr__(self, name): raise SystemExit\n"
        "    def __getattribute__(self, name): return super().__getattribute__(name)\nnet = Bad.__new__(Bad)\n"
        "vars(net).update(vars(Net()))"
    )
    with_torch.run(NET + bad)
    assert with_torch.run("%%mlops run\nseen = net").status == "ok"
    assert [model.name for model in with_torch.closed()[-1].models] == ["seen"]
    assert "capture failed" not in with_torch.run("%mlops status").streams
