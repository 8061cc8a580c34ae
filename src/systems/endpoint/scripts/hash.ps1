# The files of a backup and of the application it was made from, with the access that they had and have, and whether a restore of them is
# unfinished.
param($Parameters)

$backup = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
$files = Join-Path $backup 'files'
if (-not (Test-Path -LiteralPath $files -PathType Container)) { Fail 'UnexpectedState' "the backup $backup does not exist" }
$application = Get-Application $Parameters.site $Parameters.application
$made = Read-Json (Join-Path $backup 'files.json')
@{
    backup     = @(Get-FileList $files @(Get-SitePaths $files $made.grew))
    deployed   = @(Get-FileList $application.physicalPath @(Get-SitePaths $application.physicalPath $made.grew))
    access     = @{ listed = @($made.access); found = @(Get-ExplicitAccess $application.physicalPath $made.grew) }
    unfinished = Test-Path -LiteralPath (Join-Path $backup 'restoring.json')
}
