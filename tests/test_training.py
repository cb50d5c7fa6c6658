import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from sspexplorer.errors import InputError
from sspexplorer.metrics import noise_seen
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.models import load_model
from sspexplorer.networks import training
from sspexplorer.networks.device import training_device
from sspexplorer.networks.model import NETWORKS, Model, StackedMLP
from sspexplorer.networks.recipes import Recipe, get_recipe
from sspexplorer.networks.training import train
from sspexplorer.on_demand import mocks_on_demand
from sspexplorer.progress import Progress

QUICK = Recipe("quick", epochs=3, batch_size=256, learning_rate=0.004, standardise=True)


@pytest.fixture(scope="module")
def sample() -> MockSample:
    return make_mocks(["emiles"], magnitudes=[16.0, 18.0])


@pytest.fixture(scope="module")
def model(sample) -> Model:
    return train(sample, QUICK, seed=1)


@pytest.mark.parametrize(("name", "n_parameters"), [("base", 172_289), ("sed", 497_925)])
def test_networks_have_the_papers_number_of_parameters(name, n_parameters):
    assert StackedMLP(NETWORKS[name]).parameters_per_network == n_parameters


def test_a_stack_computes_what_three_plain_networks_would():
    stack, x = StackedMLP((57, 8, 1)), torch.randn(5, 57)
    for k in range(3):
        plain = torch.nn.Sequential(torch.nn.Linear(57, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
        for layer, index in ((0, 0), (2, 1)):
            plain[layer].weight.data = stack.weights[index][k].T.detach().clone()
            plain[layer].bias.data = stack.biases[index][k, 0].detach().clone()
        assert torch.allclose(stack(x)[:, k], plain(x)[:, 0], atol=1e-6)


def test_the_three_networks_learn_independently(sample):
    shuffled = sample.labels.copy()
    shuffled["metallicity"] = np.random.default_rng(0).permutation(shuffled["metallicity"])
    recipe = Recipe("quick", epochs=1, batch_size=256)
    first = train(sample, recipe).network
    second = train(MockSample(sample.flux, sample.flux_err, shuffled, sample.meta), recipe).network
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a[0], b[0])
        assert torch.equal(a[2], b[2])
        assert not torch.equal(a[1], b[1])


def test_training_learns_and_the_same_seed_gives_the_same_weights(sample, model):
    history = model.card["training"]["validation"]
    assert len(history) == len(model.card["training"]["train"]) == 3
    variance = sample.part("validation").parameters.var(axis=0)
    assert (np.array(history[-1]) < 0.6 * variance).all()
    again = train(sample, QUICK, seed=1)
    for a, b in zip(model.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_noise_on_demand_is_learnt_through_as_that_of_a_sample_is(model):
    lazy = mocks_on_demand(["emiles"], magnitudes=[16.0, 18.0])
    found = train(lazy, QUICK, seed=1).card
    kept = model.card
    assert found["label_range"] == kept["label_range"]
    assert found["sample"]["n_train"] == kept["sample"]["n_train"]
    losses, expected = (card["training"]["validation"][-1] for card in (found, kept))
    assert losses == pytest.approx(expected, rel=0.3)
    assert noise_seen(replace(model, card=found), lazy.take(np.arange(5)))
    assert not noise_seen(model, lazy.take(np.arange(5)))


def test_a_sample_keeps_its_own_noise_unless_the_recipe_wants_new(sample, monkeypatch):
    """Recipes with fixed noise see the very fluxes of the sample, in every epoch."""
    drawn = []
    new_noise = MockSample.with_new_noise
    monkeypatch.setattr(
        MockSample, "with_new_noise", lambda self, seed: drawn.append(seed) or new_noise(self, seed)
    )
    quick = replace(QUICK, batch_size=10_000)
    train(sample, quick)
    assert drawn == []
    train(sample, replace(quick, fresh_noise=True))
    assert [seed[1] for seed in drawn] == [1, 2]


def test_a_gpu_is_used_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert training_device() == torch.device("cpu")
    with pytest.raises(InputError, match="no device 'cuda:1' on this machine"):
        training_device("cuda:1")
    with pytest.raises(InputError, match="no kind of device 'gpu'"):
        training_device("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert training_device() == torch.device("cuda")
    assert training_device("cpu") == torch.device("cpu")


def test_all_that_a_training_computes_is_on_its_device(sample, monkeypatch):
    """On a device of shapes without numbers, which refuses tensors that lie elsewhere."""

    def back(values: torch.Tensor) -> np.ndarray:
        assert values.device.type == "meta"
        return np.ones(values.shape, np.float32)

    monkeypatch.setattr(training, "training_device", lambda name: torch.device("meta"))
    monkeypatch.setattr(training, "_on_host", back)
    recipe = replace(QUICK, epochs=2, batch_size=2000)
    model = train(sample, replace(recipe, one_cycle=True, loss="huber", snr_power=0.5, dropout=0.1))
    assert model.card["training"]["device"] == "meta"
    assert {value.device.type for value in model.network.parameters()} == {"cpu"}


def test_the_best_weights_are_kept(sample, model):
    validation = sample.part("validation")
    error = ((model.predict(validation.flux) - validation.parameters) ** 2).mean(axis=0)
    best = np.min(model.card["training"]["validation"], axis=0)
    assert error == pytest.approx(best, rel=1e-3)


def test_progress_tells_loss_and_time_left(sample):
    seen = []
    train(sample, QUICK, watch=seen.append)
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert seen[-1].seconds_left == 0
    assert seen[-1].epoch == 3
    assert all(np.isfinite(seen[-1].validation_loss))


def test_an_interrupt_keeps_the_best_weights(sample):
    def interrupt(state):
        if state.epoch == 2:
            raise KeyboardInterrupt

    model = train(sample, QUICK, seed=1, watch=interrupt)
    assert model.card["training"]["stopped_early"]
    assert model.card["training"]["epochs_done"] == 2
    assert np.isfinite(model.predict(sample.flux[:5])).all()


def test_stopping_before_the_first_epoch_still_gives_a_model(sample):
    model = train(
        sample, Recipe("slow", batch_size=16), progress=Progress(is_cancelled=lambda: True)
    )
    assert model.card["training"]["epochs_done"] == 1
    assert np.isfinite(model.predict(sample.flux[:5])).all()


def test_a_model_survives_its_folder_with_nothing_pickled(model, sample, tmp_path):
    model.save(tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "card.json",
        "weights.safetensors",
    ]
    again = load_model(tmp_path / "model")
    assert np.array_equal(again.predict(sample.flux), model.predict(sample.flux))
    assert again.card == json.loads(json.dumps(model.card))
    model.save(tmp_path / "small", small=True)
    size, small = (
        (tmp_path / n / "weights.safetensors").stat().st_size for n in ("model", "small")
    )
    assert small < 0.8 * size
    rounded = load_model(tmp_path / "small").predict(sample.flux)
    assert np.abs(rounded - model.predict(sample.flux)).max() < 0.02


def test_predictions_do_not_depend_on_the_scale_of_the_flux(model, sample):
    flux = sample.flux[:20].astype(float)
    assert model.predict(flux * 1e-27) == pytest.approx(model.predict(flux), abs=1e-4)


def test_folders_that_are_no_model_are_refused(model, tmp_path):
    with pytest.raises(InputError, match="no model 'bets'"):
        load_model("bets")
    with pytest.raises(InputError, match="is not a model"):
        load_model(tmp_path)
    model.save(tmp_path / "broken")
    (tmp_path / "broken" / "weights.safetensors").write_bytes(b"not tensors")
    with pytest.raises(InputError, match="this version can read"):
        load_model(tmp_path / "broken")


def test_recipes_are_as_printed_and_checked():
    paper = get_recipe("paper")
    assert (paper.network, paper.epochs, paper.batch_size, paper.learning_rate, paper.loss) == (
        "base",
        100,
        32,
        0.002,
        "mse",
    )
    fast = get_recipe("paper-fast")
    # What the paper's mocks and network are, it keeps: no other noise, no weights.
    assert (fast.network, fast.dropout, fast.fresh_noise, fast.snr_power) == ("base", 0, False, 0)
    assert get_recipe("default", network="sed", epochs=2).network == "sed"
    with pytest.raises(InputError, match="no recipe 'fast'"):
        get_recipe("fast")
    with pytest.raises(InputError, match="no network 'big'"):
        get_recipe("default", network="big")
    with pytest.raises(InputError, match="at least one epoch"):
        get_recipe("default", epochs=0)
