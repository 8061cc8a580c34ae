# Copies a gateway application as it is now, with a list of what was copied. A complete copy of the same name is left alone.
param($Parameters)

Use-Host {
    $folder = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
    $files = Join-Path $folder 'files'
    # Written last: a copy without its list is a copy that was interrupted.
    $list = Join-Path $folder 'files.json'
    if (-not (Test-Path -LiteralPath $list)) {
        $application = Get-Application $Parameters.site $Parameters.application
        if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
        $null = New-Item -ItemType Directory -Path $files -Force
        Get-ChildItem -LiteralPath $application.physicalPath -Force | Copy-Item -Destination $files -Recurse -Force
        # The configuration of IIS is a copy to look at: restoring it would touch sites that are not ours.
        if (Get-Command -Name Backup-WebConfiguration -ErrorAction SilentlyContinue) {
            if (-not @(Get-WebConfigurationBackup | Where-Object { $_.Name -eq $Parameters.backup })) {
                $null = Backup-WebConfiguration -Name $Parameters.backup
            }
        }
        Save-Json $list @{ at = (Get-Now); source = $application.physicalPath; files = @(Get-FileList $application.physicalPath) }
    }
    @{ path = $folder; listed = @((Read-Json $list).files); copied = @(Get-FileList $files) }
}
