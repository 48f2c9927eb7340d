"""Where a run learns: on this machine, or as a job of a Ray cluster; what it learns is the same.

`placement` says where and on how many workers, `packing` what a job takes along, `telling` how it tells of
its steps, `learning` what each of its processes does; `local` and `ray_cluster` start and follow it. No
module here imports torch or ray before it has to.
"""
