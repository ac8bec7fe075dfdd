"""What negopt does inside A1111, Forge and Forge Neo. Imports no host, so that all of it can be tested without one.

`scripts/negopt_webui.py` imports the webui and hands its modules to the functions here.
"""
