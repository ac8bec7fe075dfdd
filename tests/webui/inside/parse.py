"""Run by a webui's own Python: what its own parser makes of prompts. Reads JSON from stdin, writes JSON to stdout.

Each case is [prompt, steps, hires steps or null]; each answer is a list with, for each step, [[text, weight], …].
"""

import importlib.util
import json
import sys


def main() -> None:
    spec = importlib.util.spec_from_file_location("prompt_parser", sys.argv[1])
    parser = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parser)
    answers = []
    for prompt, steps, hires in json.load(sys.stdin):
        _, (text,), _ = parser.get_multicond_prompt_list([prompt])
        (schedule,) = parser.get_learned_conditioning_prompt_schedules([text], steps, hires)
        at_steps = []
        for step in range(hires or steps):
            live = next((text for end, text in schedule if step <= end), schedule[0][1])
            at_steps.append(parser.parse_prompt_attention(live))
        answers.append(at_steps)
    json.dump(answers, sys.stdout)


main()
