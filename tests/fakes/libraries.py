"""Importing this imports what every process of the tests needs, our own work included; no thread runs afterwards."""

from negopt_core.own_process import wait_kindly

wait_kindly()

import torch  # noqa: E402

torch.set_num_threads(1)
