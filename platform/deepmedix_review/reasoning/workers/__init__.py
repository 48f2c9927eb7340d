"""Who answers: the processes that hold models, what each is at, and how one leaves without losing a job."""
