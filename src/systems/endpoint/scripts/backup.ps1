# Copies a gateway application as it is now, with a list of what was copied and of the access to it, and tells what the copy and the
# application hold. The copy itself is for administrators alone, whoever may read the application.
# 'copy' says when: 'never', only 'ifMissing', or 'always' anew.
param($Parameters)

# Complete copies of the same application that other operations have made. For people: no script goes back to them by itself.
function Get-OtherBackups {
    foreach ($other in @(Get-ChildItem -LiteralPath (Join-Path $Parameters.workDirectory 'backups') -Directory -ErrorAction SilentlyContinue)) {
        $known = Join-Path $other.FullName 'files.json'
        if (-not (Test-Path -LiteralPath $known)) { continue }
        $made = Read-Json $known
        if ($made.site -eq $Parameters.site -and $made.application -eq $Parameters.application) {
            @{ path = $other.FullName; operation = [string] $made.operation; at = (Get-Time $made.at) }
        }
    }
}

Use-Host $Parameters {
    Confirm-Seen $Parameters
    Confirm-NoSetup
    $application = Get-Application $Parameters.site $Parameters.application
    $folder = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
    $files = Join-Path $folder 'files'
    # Written last: a copy without its list is a copy that was interrupted.
    $list = Join-Path $folder 'files.json'
    if ($Parameters.copy -eq 'always' -or ($Parameters.copy -eq 'ifMissing' -and -not (Test-Path -LiteralPath $list))) {
        if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force }
        $null = New-Item -ItemType Directory -Path $files -Force
        Get-ChildItem -LiteralPath $application.physicalPath -Force | Copy-Item -Destination $files -Recurse -Force
        # The configuration of IIS is a copy to look at: restoring it would touch sites that are not ours.
        if (Get-Command -Name Backup-WebConfiguration -ErrorAction SilentlyContinue) {
            if (-not @(Get-WebConfigurationBackup | Where-Object { $_.Name -eq $Parameters.backup })) {
                $null = Backup-WebConfiguration -Name $Parameters.backup
            }
        }
        Save-Json $list @{
            operation = $Parameters.operation; site = $Parameters.site; application = $Parameters.application; at = (Get-Now)
            source = $application.physicalPath; files = @(Get-FileList $application.physicalPath)
            access = @(Get-ExplicitAccess $application.physicalPath)
        }
    }
    $complete = Test-Path -LiteralPath $list
    @{
        path     = $folder
        copy     = if ($complete) { @{ listed = @((Read-Json $list).files); copied = @(Get-FileList $files) } } else { $null }
        deployed = @(Get-FileList $application.physicalPath)
        others   = @(if (-not $complete) { Get-OtherBackups })
    }
}
