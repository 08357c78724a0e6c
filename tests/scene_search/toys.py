"""A space, a front end and clips for networks that train in a second."""

from dcase_system.audio.specs import ScalogramSpec
from dcase_system.scene_search.scene_space import SceneSpace, SizeWindow
from dcase_system.scene_search.training import ScenePlan

FRONT_END = ScalogramSpec(segment_frames=32, octaves=5, per_octave=4, fft_length=2_048)
SPACE = SceneSpace("paper", SizeWindow(1, 30), (2,), (4, 8), (1.0, 1.5))
TOY = ScenePlan(epochs=1, batch_size=16)
