"""Importing this imports what every process of the tests needs, our own work included; no thread runs afterwards."""

from negopt_core.own_process import wait_kindly

wait_kindly()

import torch  # noqa: E402

torch.set_num_threads(1)

import negopt_core.commands.data  # noqa: E402
import negopt_core.commands.eval  # noqa: E402
import negopt_core.commands.policies  # noqa: E402
import negopt_core.commands.train_ppo  # noqa: E402
import negopt_core.data.confidence  # noqa: E402
import negopt_core.evidence.study  # noqa: E402
import negopt_core.paint.diffusers_painter  # noqa: E402
import negopt_core.reward.base  # noqa: E402
import negopt_core.train.ppo  # noqa: E402
import negopt_core.train.samples  # noqa: E402
import negopt_core.train.sft  # noqa: E402
import negopt_core.world.judges  # noqa: E402
import negopt_core.world.measure  # noqa: E402, F401
