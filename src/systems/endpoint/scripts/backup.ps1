# Copies a gateway application as it is now, with a list of what was copied, and tells what the copy and the application hold.
# 'copy' says when: 'never', only 'ifMissing', or 'always' anew.
param($Parameters)

Use-Host $Parameters.upgrade {
    Confirm-Seen $Parameters
    $application = Get-Application $Parameters.site $Parameters.application
    $folder = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
    $files = Join-Path $folder 'files'
    # Written last: a copy without its list is a copy that was interrupted.
    $list = Join-Path $folder 'files.json'
    $complete = Test-Path -LiteralPath $list
    if ($Parameters.copy -eq 'never' -and -not $complete) {
        Fail 'NoBackup' "the files of '$($Parameters.application)' are no longer those to go back to, and there is no earlier copy"
    }
    if ($Parameters.copy -eq 'always' -or -not $complete) {
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
    @{
        path     = $folder
        listed   = @((Read-Json $list).files)
        copied   = @(Get-FileList $files)
        deployed = @(Get-FileList $application.physicalPath)
    }
}
