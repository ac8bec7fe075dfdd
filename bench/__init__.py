"""`make bench`: times the main parts side by side in one run and writes docs/generated/benchmarks.md."""

from negopt_core.own_process import wait_kindly

wait_kindly()  # here, because the modules import torch
