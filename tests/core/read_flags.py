"""Runs a command; prints its flags and whether it imported TensorFlow."""

import runpy
import sys

from absl import flags

if __name__ == "__main__":
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    modules = flags.FLAGS.flags_by_module_dict().items()
    ours = [of for name, of in modules if name.startswith(("recipes.", "dcase_system.", "/"))]
    names = [flag.name for of in ours for flag in of]
    print("tensorflow" in sys.modules, *names, file=sys.stderr)
