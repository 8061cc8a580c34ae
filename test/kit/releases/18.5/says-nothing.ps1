# Breaks its promise: its last output says nothing of what it has done.
param($Parameters)

"There was $($Parameters.feature)."
