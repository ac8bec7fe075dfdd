"""A record of a picture, for tests to vary with `dataclasses.replace`."""

from negopt_core.provenance.record import Record

RECORD = Record(
    prompt="a cat",
    df_positive="a cat",
    df_negative="[blurry:0-0.5:1]",
    positive="a cat",
    negative="blurry",
    seed=7,
    model="world",
    model_hash="abc",
    steps=20,
    cfg=4.0,
    width=4,
    height=2,
    sampler="model",
    weighting="pae",
    device="cpu",
    dtype="float32",
    batch_seeds=(7,),
)
