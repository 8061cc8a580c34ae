# Runs a script that a release brings: the file <name>.ps1 beside the release's paths (workflows/releases/<version>/).
#
# Such a script
# - begins with param($Parameters) and takes them as data: it never makes code of them; PowerShell 7 turns a text that is a time
#   in ISO 8601 into one;
# - looks before it acts and is safe to repeat, also where it was ended in the middle: after that it is run again from its
#   beginning, on a host in whatever state it has left;
# - never restarts Windows: it says that a restart is needed, and is run again after it;
# - ends with one hashtable as its last output:
#       @{ done = $true; restartNeeded = $false; note = 'The runtime 4.8 is installed.' }
#   'done': what it brings is there and works, now; 'restartNeeded': not before Windows is restarted; 'note': one sentence for people;
# - may call Fail, Add-Log and whatever else stands in common.ps1; every error of its own counts as Rejected, which nobody repeats;
# - runs in Windows PowerShell 5.1, with the rights of the worker, and has no secrets: what it is given stands in the history;
# - ends within the time that the inventory gives to a script, and starts nothing that runs on.
param($Parameters)

Use-Host $Parameters {
    Confirm-NoSetup
    $name = "$($Parameters.release)/$($Parameters.script)"
    $said = @(& ([ScriptBlock]::Create([IO.File]::ReadAllText($Parameters.file))) $Parameters.parameters)[-1]
    foreach ($fact in 'done', 'restartNeeded', 'note') {
        if ($said -isnot [Collections.IDictionary] -or $null -eq $said[$fact]) { Fail 'Rejected' "the script $name did not say '$fact': its last output must be a hashtable with done, restartNeeded and note" }
    }
    @{ done = [bool] $said.done; restartNeeded = [bool] $said.restartNeeded; note = [string] $said.note; bootTime = (Get-BootTime) }
}
