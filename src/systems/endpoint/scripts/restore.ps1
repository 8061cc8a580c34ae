# Puts a backup's files back in place of the application's, with the access that they had, and with the application's pool stopped so
# that no file is in use.
param($Parameters)

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    $backup = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
    $application = Get-Application $Parameters.site $Parameters.application
    # Before the first change: an interrupted restore is a change as well.
    Save-Json ([IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records, "$($Parameters.id).restored.json")) @{
        id = $Parameters.id; operation = $Parameters.operation
        site = $Parameters.site; application = $Parameters.application; at = (Get-Now)
    }
    if ((Get-WebAppPoolState -Name $application.pool).Value -ne 'Stopped') { Stop-WebAppPool -Name $application.pool }
    try {
        $until = [DateTime]::UtcNow.AddSeconds(60)
        while ((Get-WebAppPoolState -Name $application.pool).Value -ne 'Stopped') {
            if ([DateTime]::UtcNow -ge $until) { Fail 'NotYet' "the application pool '$($application.pool)' does not stop" }
            Start-Sleep -Milliseconds 500
        }
        Get-ChildItem -LiteralPath $application.physicalPath -Force | Remove-Item -Recurse -Force
        Get-ChildItem -LiteralPath (Join-Path $backup 'files') -Force | Copy-Item -Destination $application.physicalPath -Recurse -Force
        Set-ExplicitAccess $application.physicalPath (Read-Json (Join-Path $backup 'files.json')).access
    } finally {
        Start-WebAppPool -Name $application.pool
    }
    @{ deployed = @(Get-FileList $application.physicalPath); access = @(Get-ExplicitAccess $application.physicalPath) }
}
