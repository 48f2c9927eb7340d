"""Readers' work on completions. Each room is one thing that a person does or sees:

- `criteria`: the questions that readers are asked, in versions
- `designing`: the page on which an admin designs a reader study
- `designs`: who reads what, drawn by seed, and what it costs; pure functions, no database
- `study_services`: what an admin or the clock does to a reader study, from its draft to its lock
- `conduct`: the page of a reader study on its way
- `worklist`: what a reader finds on coming in
- `reading`: one case in the reading room, and each thing that is said of it
- `results`: what a reader study found

`services` keeps and signs a reading, `selectors` finds readers' work, `guards` says who may open what.
"""
