"""Fit what people wrote on top of the tables of the policy `negopt`, and write `people.json`.

python tools/fit_people.py CORPUS [-o negopt_core/assets/words/people.json]

CORPUS holds `pairs/pairs_train.jsonl.gz` and `modifiers/modifier_prompts_train.jsonl.gz`, as in docs/training.md.
Run it again after concepts, phrases or families were edited: effects are kept by name, relative to the tables.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from negopt_core.files import write_text
from negopt_core.lab.data.corpus import Weights, read_modified, read_rows
from negopt_core.lab.train.people import Said, fit
from negopt_core.policy.loglinear.evidence import PEOPLE, Evidence
from negopt_core.policy.loglinear.knowledge import Knowledge
from negopt_core.policy.loglinear.lexicon import Lexicon
from negopt_core.policy.words import phrase_key

MOST_MODIFIED, SEED = 6_000, 24


def main() -> None:
    """Read, fit both sides, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=PEOPLE)
    args = parser.parse_args()
    lexicon, weights = Lexicon(Knowledge.read()), Weights()
    rows = read_rows(args.corpus / "pairs" / "pairs_train.jsonl.gz")
    negatives = [
        Said(row.prompt, frozenset(phrase_key(span.text) for span in row.spans), weights.of(row), row.source)
        for row in rows
        if row.family != "probe"  # their negatives are what a study removed, not what anybody wished away
    ]
    modified = [
        row for row in read_modified(args.corpus / "modifiers" / "modifier_prompts_train.jsonl.gz") if row.modifiers
    ]
    drawn = random.Random(SEED).sample(modified, min(MOST_MODIFIED, len(modified)))
    modifiers = [
        Said(row.subject, frozenset(map(phrase_key, row.modifiers)), 1.0, row.source) for row in drawn if row.subject
    ]
    found = [fit("negative", negatives, lexicon), fit("modifiers", modifiers, lexicon)]
    joined = Evidence("people", {**found[0].effects, **found[1].effects})
    write_text(args.output, json.dumps(joined.to_json(), ensure_ascii=False, indent=0, sort_keys=True) + "\n")
    for side, effects in joined.effects.items():
        print(f"{side}: {sum(map(len, effects.values()))} effects under {len(effects)} concepts")


if __name__ == "__main__":
    main()
