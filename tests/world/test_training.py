"""`train world` in miniature: every stage runs, a stopped run continues, the folder loads in diffusers."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from negopt_core.errors import ModelError, PromptError, TrainingError
from negopt_core.lab.make_world.card import carded_hash, weights_hash, write_card
from negopt_core.lab.make_world.dataset import DatasetSettings, build_dataset
from negopt_core.lab.make_world.models import build_networks
from negopt_core.lab.make_world.train import WorldSettings, train_world
from negopt_core.lab.make_world.train_diffusion import DiffusionRun, DiffusionSettings
from negopt_core.lab.make_world.train_judges import JudgeSettings, train_judge
from negopt_core.lab.make_world.train_vae import VaeSettings, train_vae
from negopt_core.scorers.table import WORLD, load_named
from negopt_core.world import world_dir
from negopt_core.world.judges import Judge, judge_card, load_judge, save_judge

pytestmark = pytest.mark.slow

VAE = VaeSettings(steps=2, batch_size=4, save_every=1)
DATA = DatasetSettings(mixed=12, clean=8)
DIFFUSION = DiffusionSettings(images=32, batch_size=8, save_every=1)


def test_the_whole_recipe_exports_a_folder_that_stock_diffusers_paints_with(tmp_path: Path) -> None:
    judges = (("reward", JudgeSettings(1, steps=1, batch_size=8)), ("eval", JudgeSettings(2, steps=1, batch_size=8)))
    settings = WorldSettings(vae=VAE, dataset=DATA, diffusion=DIFFUSION, judges=judges)
    train_world(tmp_path / "run", tmp_path / "out", settings)
    pipeline = StableDiffusionPipeline.from_pretrained(str(tmp_path / "out"))
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline("a red ball", num_inference_steps=2, output_type="pt").images
    assert image.shape == (1, 3, 64, 64)
    assert {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()} <= {
        ".json",
        ".md",
        ".safetensors",
        ".txt",
    }
    assert judge_card(tmp_path / "out" / "judges" / "eval.safetensors")["seed"] == 2
    assert carded_hash(tmp_path / "out") == weights_hash(tmp_path / "out")


@pytest.mark.parametrize("kept", [None, "{", "[1]"])
def test_a_run_is_not_gone_on_with_under_other_settings(tmp_path: Path, kept: str | None) -> None:
    settings = WorldSettings(vae=VAE, dataset=DATA, diffusion=DIFFUSION, judges=())
    if kept is None:
        train_world(tmp_path, tmp_path / "out", settings, stages=("vae",))
        train_world(tmp_path, tmp_path / "out", settings, stages=("vae",))
        kept = (tmp_path / "settings.json").read_text()
        settings = replace(settings, seed=1, diffusion=replace(DIFFUSION, images=64))
    (tmp_path / "settings.json").write_text(kept)
    with pytest.raises(TrainingError, match=r"\(diffusion, seed\); choose another|settings.json is damaged"):
        train_world(tmp_path, tmp_path / "out", settings, stages=("vae",))
    assert (tmp_path / "settings.json").read_text() == kept


def test_a_dataset_belongs_to_its_autoencoder_and_appears_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks, other = build_networks(tmp_path, seed=0), build_networks(tmp_path, seed=1)
    first = build_dataset(tmp_path, networks.vae, networks.tokenizer, DATA)
    assert not torch.equal(first.latents, build_dataset(tmp_path, other.vae, networks.tokenizer, DATA).latents)
    assert torch.equal(first.latents, build_dataset(tmp_path, networks.vae, networks.tokenizer, DATA).latents)

    def cut(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.torch.save_file", cut)
    (tmp_path / "cut").mkdir()
    with pytest.raises(KeyboardInterrupt):
        build_dataset(tmp_path / "cut", networks.vae, networks.tokenizer, DATA)
    assert not list((tmp_path / "cut").glob("*.safetensors"))


def test_a_diffusion_run_that_was_stopped_continues_to_the_same_weights(tmp_path: Path) -> None:
    networks = build_networks(tmp_path, seed=0)
    dataset = build_dataset(tmp_path, networks.vae, networks.tokenizer, DATA)

    def run(folder: str, images: int) -> dict[str, torch.Tensor]:
        (tmp_path / folder).mkdir(exist_ok=True)
        trainer = DiffusionRun(tmp_path / folder, build_networks(tmp_path, seed=0), dataset, DIFFUSION)
        while trainer.done < images:
            trainer.step()
        trainer.save()
        return load_file(trainer.path)

    whole = run("whole", 32)
    run("parts", 16)
    resumed = run("parts", 32)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_autoencoder_and_judge_runs_resume_to_the_same_weights(tmp_path: Path) -> None:
    whole = train_vae(tmp_path, VAE)
    (tmp_path / "again").mkdir()
    train_vae(tmp_path / "again", replace(VAE, steps=2))
    again = train_vae(tmp_path / "again", VAE)  # finished: read back
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))
    judge = train_judge(tmp_path / "j.safetensors", whole, JudgeSettings(3, steps=1, batch_size=8))
    same = train_judge(tmp_path / "j.safetensors", whole, JudgeSettings(3, steps=1, batch_size=8))
    assert all(torch.equal(a, b) for a, b in zip(judge.parameters(), same.parameters(), strict=True))


def test_judges_survive_saving_and_damage_is_reported_in_one_line(tmp_path: Path) -> None:
    torch.manual_seed(0)
    judge, path = Judge().eval(), tmp_path / "judge.safetensors"
    save_judge(judge, path, {"seed": 1})
    images = torch.rand(2, 3, 64, 64)
    assert torch.allclose(load_judge(path)(images).quality, judge(images).quality, atol=0.05)
    path.write_bytes(path.read_bytes()[:100])
    for broken in (path, tmp_path / "missing.safetensors"):
        with pytest.raises(ModelError, match="cannot read the judge"):
            load_judge(broken)


@pytest.mark.parametrize(("name", "role"), [("nope", "eval"), (WORLD[0], "nope")])
def test_an_unknown_scorer_or_judge_is_named(name: str, role: str) -> None:
    with pytest.raises((ModelError, PromptError), match="nope"):
        load_named(name, {}, role)


def test_the_card_names_the_weights_beside_it(tmp_path: Path) -> None:
    assert carded_hash(world_dir()) == weights_hash(world_dir())
    with pytest.raises(ModelError, match="train world"):
        carded_hash(tmp_path)
    save_judge(Judge(), tmp_path / "judges" / "eval.safetensors", {})
    write_card(tmp_path, asdict(WorldSettings()))
    before = carded_hash(tmp_path)
    assert before == weights_hash(tmp_path)
    save_judge(Judge(), tmp_path / "judges" / "eval.safetensors", {})  # other random weights
    assert carded_hash(tmp_path) == before != weights_hash(tmp_path)


def test_the_report_is_about_the_shipped_weights() -> None:
    figures = json.loads(
        (Path(__file__).parents[2] / "docs" / "generated" / "world-report.json").read_text(encoding="utf-8")
    )
    assert figures["weights"] == weights_hash(world_dir())
