"""Run the Python program of a page: python readme.py README.md."""

import re
import sys
from pathlib import Path

(program,) = re.findall(r"```python\n(.*?)```", Path(sys.argv[1]).read_text(), re.DOTALL)
exec(program)
