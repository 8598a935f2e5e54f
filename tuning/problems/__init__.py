from tuning.errors import check_tasks

# Before anything of it is imported, and ends in a riddle.
check_tasks()
