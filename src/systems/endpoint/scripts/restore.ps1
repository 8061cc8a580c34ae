# Puts a backup's files back in place of the application's, with the access that they had, and with the application's pool stopped so
# that no file is in use. All of them or none: what was there goes aside, and comes back where anything fails.
param($Parameters)

# Worker processes, and the LocalDB of their user, outlive their pool's state 'Stopped' by a minute or more, and hold files.
function Wait-Released([string] $Folder, [string[]] $Paths, [DateTime] $Until) {
    foreach ($path in $Paths) {
        for ($gap = 25; ; $gap = [Math]::Min(2 * $gap, 2000)) {
            try {
                (Open-File (Join-Path $Folder $path) 'None').Dispose()
                break
            } catch {
                if ([DateTime]::UtcNow -ge $Until) { throw }
            }
            Start-Sleep -Milliseconds $gap
        }
    }
}

function Move-Files([string] $From, [string] $To, [string[]] $Paths, $Moved) {
    foreach ($path in $Paths) {
        $target = Join-Path $To $path
        $null = New-Item -ItemType Directory -Path (Split-Path -Parent $target) -Force
        Move-Item -LiteralPath (Join-Path $From $path) -Destination $target -Force
        $Moved.Add($path)
    }
}

# Replaces the files of the application. Where something fails, all is put back as it was, and that is what the script fails with.
function Switch-Files([string] $Folder, [string] $Copy, [string] $Aside, [string[]] $Present, [string[]] $Wanted) {
    $gone = New-Object 'System.Collections.Generic.List[string]'
    $placed = New-Object 'System.Collections.Generic.List[string]'
    try {
        Move-Files $Folder $Aside $Present $gone
        foreach ($path in $Wanted) {
            $target = Join-Path $Folder $path
            $null = New-Item -ItemType Directory -Path (Split-Path -Parent $target) -Force
            $placed.Add($path)
            Copy-Item -LiteralPath (Join-Path $Copy $path) -Destination $target -Force
        }
    } catch {
        $failure = $_
        if ($failure.Exception.GetBaseException() -is [IO.IOException]) { $failure.Exception.Data['kind'] = 'NotYet' }
        try {
            $placed | ForEach-Object { Join-Path $Folder $_ } | Where-Object { Test-Path -LiteralPath $_ } | ForEach-Object { Remove-Item -LiteralPath $_ -Force }
            Move-Files $Aside $Folder $gone.ToArray() (New-Object 'System.Collections.Generic.List[string]')
        } catch {
            Add-Log "what was there could not be put back from ${Aside}: $($_.Exception.Message)"
            $failure.Exception.Data['half'] = $true
        }
        throw $failure
    }
}

# Folders that the copy has not, unless something of the application's own doing is in them.
function Remove-EmptyFolders([string] $Folder, [string] $Copy) {
    $root = (Get-Item -LiteralPath $Folder -Force).FullName.TrimEnd('\', '/')
    $deepestFirst = @(Get-ChildItem -LiteralPath $root -Recurse -Directory -Force | Sort-Object -Property { $_.FullName.Length } -Descending)
    foreach ($one in $deepestFirst) {
        if (Test-Path -LiteralPath (Join-Path $Copy $one.FullName.Substring($root.Length + 1))) { continue }
        if (@(Get-ChildItem -LiteralPath $one.FullName -Force).Count -eq 0) { Remove-Item -LiteralPath $one.FullName -Force }
    }
}

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    $backup = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
    $copy = Join-Path $backup 'files'
    $made = Read-Json (Join-Path $backup 'files.json')
    $application = Get-Application $Parameters.site $Parameters.application
    $folder = $application.physicalPath
    # How the pool was before anything was done to it, and whether the files are of both: for whoever goes on after an end by force.
    $note = Join-Path $backup 'restoring.json'
    $state = if (Test-Path -LiteralPath $note) { Read-Json $note } else {
        @{ pool = if ('Stopped', 'Stopping' -contains [string] (Get-WebAppPoolState -Name $application.pool).Value) { 'Stopped' } else { 'Started' }; half = $false }
    }
    # Before the first change: an interrupted restore is a change as well.
    Save-Json ([IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records, "$($Parameters.id).restored.json")) @{
        id = $Parameters.id; operation = $Parameters.operation
        site = $Parameters.site; application = $Parameters.application; pool = $state.pool; at = (Get-Now)
    }
    $half = [bool] $state.half
    Save-Json $note @{ pool = $state.pool; half = $half }
    $failure = $null
    try {
        if ($Parameters.replace) {
            Set-PoolState $application.pool 'Stopped' ([DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds))
            $present = @(Get-SitePaths $folder $made.grew)
            Wait-Released $folder $present ([DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds))
            Save-Json $note @{ pool = $state.pool; half = $true }
            try {
                Switch-Files $folder $copy ([IO.Path]::Combine($Parameters.workDirectory, 'aside', $Parameters.id)) $present @(Get-SitePaths $copy $made.grew)
            } catch {
                $half = $half -or [bool] $_.Exception.Data['half']
                Save-Json $note @{ pool = $state.pool; half = $half }
                throw
            }
            Remove-EmptyFolders $folder $copy
            Set-ExplicitAccess $folder $made.access
        }
        $half = $false
        # While nothing writes to them.
        $result = @{ deployed = @(Get-FileList $folder @(Get-SitePaths $folder $made.grew)); access = @(Get-ExplicitAccess $folder $made.grew) }
        Save-Json $note @{ pool = $state.pool; half = $false }
    } catch {
        $failure = $_
    }
    # Files of both versions serve nobody: the next attempt goes on from there.
    if (-not $half) {
        try {
            Set-PoolState $application.pool $state.pool ([DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds))
            Remove-Item -LiteralPath $note -Force
        } catch {
            if (-not $failure) { throw }
            Add-Log "then $($_.Exception.Message)"
        }
    }
    if ($failure) { throw $failure }
    $result
}
