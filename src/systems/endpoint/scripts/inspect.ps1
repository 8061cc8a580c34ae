# What stands on the host now: the sites asked for, the versions of their files, what this operation did, which setup.cmd still runs.
param($Parameters)

$until = [DateTime]::UtcNow.AddMilliseconds($Parameters.waitMilliseconds)
while ($true) {
    $running = @(Get-RunningSetups)
    if ($running.Count -eq 0 -or [DateTime]::UtcNow -ge $until) { break }
    Start-Sleep -Milliseconds 500
}

# As text: reading and writing JSON again would change what looks like a date.
function Get-Records([string] $Filter) {
    if ($Parameters.records -eq '') { return }
    $folder = [IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records)
    if (-not (Test-Path -LiteralPath $folder)) { return }
    Get-ChildItem -LiteralPath $folder -File -Filter $Filter | ForEach-Object { $utf8.GetString([IO.File]::ReadAllBytes($_.FullName)) }
}

$sites = @(Get-Sites)

function Get-InspectedSite($Key) {
    $seen = @{
        site = $Key.site; application = $Key.application
        bindings = $null; physicalPath = $null; assemblies = $null; webConfigVersion = $null
    }
    $site = @($sites | Where-Object { $_.name -eq $Key.site })[0]
    if (-not $site) { return $seen }
    $seen.bindings = @($site.bindings)
    $application = @($site.applications | Where-Object { $_.name -eq $Key.application })[0]
    if (-not $application) { return $seen }
    $seen.physicalPath = $application.physicalPath
    $deployed = Get-Deployed $application.physicalPath
    $seen.assemblies = $deployed.assemblies
    $seen.webConfigVersion = $deployed.webConfigVersion
    $seen
}

@{
    sites    = @($Parameters.sites | ForEach-Object { Get-InspectedSite $_ })
    started  = @(Get-Records '*.setup-started.json')
    ended    = @(Get-Records '*.setup-ended.json')
    restored = @(Get-Records '*.restored.json')
    reset    = @(Get-Records '*.reset.json')
    running  = $running
    bootTime = (Get-BootTime)
}
